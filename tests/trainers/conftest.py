"""Grids whose trainer is a script that a test writes."""

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from transfer import experiment
from transfer.planning import GridFile, expand
from transfer.records import JobResult
from transfer.scheduling.execution import Execution
from transfer.store import Store

# a right trainer: it answers each corpus with what its kind allows everywhere
HEAD = """\
import json, pathlib, sys
job = json.loads(pathlib.Path(sys.argv[1]).read_text())
out = pathlib.Path(sys.argv[2])
def rows_of(path):
    return [json.loads(line) for line in open(path)]
def answer_to(corpus, row):
    if corpus["kind"] == "tagging":
        return ["O"] * len(row["tokens"])
    if corpus["kind"] == "multilabel":
        return []
    return corpus["labels"][len(row["id"]) % 2] if corpus["labels"] else float(len(row["id"]))
def answers_of(corpus):
    return [{"id": r["id"], "predicted": answer_to(corpus, r)} for r in rows_of(corpus["test"])]
def write(name, lines):
    (out / "predictions").mkdir(exist_ok=True)
    text = "".join(line if isinstance(line, str) else json.dumps(line) + "\\n" for line in lines)
    (out / "predictions" / f"{name}.jsonl").write_text(text)
"""
RIGHT = HEAD + "for c in job['corpora']:\n    write(c['name'], answers_of(c))\n"


@dataclass(frozen=True)
class Trial:
    """A grid with an external trainer in a folder of its own."""

    grid: Path
    store: Store

    def run(self, *overrides: str, executor: str = "inline") -> dict[str, JobResult]:
        """Run the grid without a report; results by the names of the corpora and the seed."""
        expanded = expand(GridFile(self.grid, None, overrides))
        experiment.run(expanded, self.store, Execution(executor, workers=1 if executor == "ray" else None))
        results = self.store.results(expanded.record.jobs).values()
        return {f"{'+'.join(r.job.names)} {r.job.seed}": r for r in results}

    def ids(self, *overrides: str) -> set[str]:
        return {job.id for job in expand(GridFile(self.grid, None, overrides)).record.jobs}

    def script(self, text: str) -> None:
        (self.grid.parent / "train.py").write_text(text)


@pytest.fixture
def trial(tmp_path: Path, tiny_corpora: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Trial]:
    """``trial(script, tasks=["rel"])`` writes the grid of a trainer."""
    monkeypatch.setattr(os, "cpu_count", lambda: 1)

    def make(script: str = RIGHT, trainer: Mapping[str, Any] | None = None, **keys: Any) -> Trial:
        grid = {
            "name": "t",
            "corpora": str(tiny_corpora),
            "tasks": ["rel"],
            "trainer": {"command": ["python", "train.py", "{job}", "{out}"], **(trainer or {})},
            "jobs": ["single"],
            "seeds": 1,
            **keys,
        }
        made = Trial(tmp_path / "grid.yaml", Store(tmp_path / "runs"))
        made.grid.write_text(json.dumps(grid))
        made.script(script)
        return made

    return make
