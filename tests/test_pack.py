"""bench/pack.py: one file carries a store's results to a machine without the corpora."""

import importlib.util
import json
import tarfile
from pathlib import Path

import pytest

from tests.conftest import Ran
from transfer.grid import Grid
from transfer.inputs import InputError
from transfer.store import Store

SCRIPT = Path(__file__).parent.parent / "bench" / "pack.py"


def _script():
    spec = importlib.util.spec_from_file_location("pack", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def packed(tiny_run: Ran, tmp_path_factory: pytest.TempPathFactory) -> Path:
    to = tmp_path_factory.mktemp("packed") / "results.tar.xz"
    _script().pack(Store(tiny_run.store), [Grid.load(tiny_run.grid).name], to)
    return to


def test_a_restored_store_gives_the_same_report(packed: Path, tiny_run: Ran, transfer, tmp_path: Path):
    """Every table of the report is the same byte for byte, from the packed file alone."""
    count = _script().restore(packed, Store(tmp_path / "runs"))
    assert count == len(list((tiny_run.store / "jobs").iterdir()))
    code, _, err = transfer("report", tiny_run.grid, "--store", tmp_path / "runs", "--out", tmp_path / "out")
    assert code == 0, err
    name = Grid.load(tiny_run.grid).name
    tables = sorted((tiny_run.out / name).glob("*.csv"))
    assert tables
    for table in tables:
        assert (tmp_path / "out" / name / table.name).read_bytes() == table.read_bytes(), table.name


def test_a_packed_file_has_no_folder_of_the_machine_and_no_text(packed: Path, tiny_run: Ran):
    """Members hold neither the path of the corpora nor a sentence of them."""
    corpora = Path(str(Grid.load(tiny_run.grid).corpora))
    rows = [
        json.loads(line)
        for split in corpora.glob("*/test.jsonl")
        for line in split.read_text(encoding="utf-8").splitlines()
    ]
    texts = {json.dumps(row[key]) for row in rows for key in ("text", "text_a", "tokens") if key in row}
    assert texts
    with tarfile.open(packed) as archive:
        for member in archive:
            file = archive.extractfile(member)
            assert file
            content = file.read().decode()
            assert str(corpora) not in content, member.name
            assert not [text for text in texts if text in content], member.name


def test_a_grid_that_never_ran_is_named(tiny_run: Ran, tmp_path: Path):
    """Packing results of a grid that the store does not know is an error, not an empty file."""
    with pytest.raises(InputError, match="no record of the grid 'other'"):
        _script().pack(Store(tiny_run.store), ["other"], tmp_path / "results.tar.xz")
