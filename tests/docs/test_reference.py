"""The reference is what the code says now, and what a report's tables really hold."""

import csv
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_build", DOCS / "build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_not_stale(build: ModuleType):
    written = (DOCS / "reference.md").read_text(encoding="utf-8")
    assert written == build.reference(), "docs/reference.md is stale: run make docs"


def test_the_schema_of_a_trainers_job_is_not_stale(build: ModuleType):
    written = (DOCS / "trainers.schema.json").read_text(encoding="utf-8")
    assert written == build.schema(), "docs/trainers.schema.json is stale: run make docs"


def test_every_table_of_a_report_has_the_columns_that_the_reference_names(build: ModuleType, tiny_run):
    tables = {path.name: path for path in (tiny_run.out / "tiny").glob("*.csv")}
    assert set(tables) <= set(build.ORDER), "a table that the reference does not know"
    for name, path in tables.items():
        with path.open(encoding="utf-8", newline="") as file:
            assert next(csv.reader(file)) == list(build.ORDER[name])
