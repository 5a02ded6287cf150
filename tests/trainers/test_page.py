"""docs/trainers.md: its grid is one, its job is one, and its tables know every kind and key."""

import json
import re
from pathlib import Path

import yaml

from transfer.external import External
from transfer.grid import Grid
from transfer.kinds import KINDS
from transfer.trainers.folder import JobFile

PAGE = (Path(__file__).parents[2] / "docs" / "trainers.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    return found


def test_the_grid_is_one(tmp_path: Path):
    (tmp_path / "grid.yaml").write_text(block("yaml"))
    (tmp_path / "train.py").write_text("")
    trainer = Grid.load(tmp_path / "grid.yaml").trainer
    assert isinstance(trainer, External)
    assert list(trainer.digests) == ["train.py"]
    assert yaml.safe_load(block("yaml"))["trainer"]["settings"] == json.loads(block("json"))["settings"]


def test_the_job_is_one():
    JobFile.model_validate(json.loads(block("json")))


def test_every_kind_and_key_is_explained():
    for name in KINDS:
        assert f"\n| {name} | " in PAGE
    for key in External.model_fields.keys() - {"digests"}:
        assert f"\n| `{key}` | " in PAGE
