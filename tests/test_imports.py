"""Imports of the package: no modules that need each other, in functions either."""

import grimp
import networkx as nx
import pytest

RECORDS = {"CorpusRecord", "Damaged", "Epoch", "GridRecord", "JobResult", "Score"}


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    # what only a type checker imports brings nothing in
    return grimp.build_graph("transfer", exclude_type_checking_imports=True, cache_dir=None)


def test_no_modules_import_each_other(imports: grimp.ImportGraph):
    graph = nx.DiGraph(
        (importer, imported)
        for importer in imports.modules
        for imported in imports.find_modules_directly_imported_by(importer)
    )
    cycles = [sorted(part) for part in nx.strongly_connected_components(graph) if len(part) > 1]
    assert cycles == []
    assert graph.number_of_edges() > 500


def test_records_are_imported_from_where_they_are_defined(imports: grimp.ImportGraph):
    """A store keeps records and does not hand them on."""
    for importer in sorted(imports.find_modules_that_directly_import("transfer.store")):
        for found in imports.get_import_details(importer=importer, imported="transfer.store"):
            assert not RECORDS & set(found["line_contents"].replace(",", " ").split()), (importer, found)
