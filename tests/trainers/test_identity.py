"""Changes of a trainer that make other jobs, and those that do not."""

import json
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from tests.trainers.conftest import RIGHT
from transfer import external
from transfer.grid import Grid
from transfer.inputs import InputError


def test_a_changed_script_makes_a_new_job(trial):
    made = trial(RIGHT)
    before = made.ids()
    assert made.ids() == before
    made.script(RIGHT + "# better\n")
    assert not made.ids() & before


def test_a_changed_file_that_the_grid_names_makes_a_new_job(trial, tmp_path: Path):
    (tmp_path / "words.txt").write_text("a")
    made = trial(RIGHT, trainer={"files": ["words.txt"]})
    before = made.ids()
    (tmp_path / "words.txt").write_text("b")
    assert not made.ids() & before
    (tmp_path / "words.txt").unlink()
    with pytest.raises(InputError, match=r"words.txt cannot be read"):
        made.ids()


def test_settings_and_command_make_a_new_job_and_hours_do_not(trial):
    made = trial(RIGHT, trainer={"settings": {"lr": 1}})
    before = made.ids()
    assert made.ids("trainer.hours=3") == before
    assert not made.ids("trainer.settings.lr=2") & before
    assert not made.ids('trainer.command=["python", "-B", "train.py", "{job}", "{out}"]') & before


def test_a_script_that_changes_during_the_run_does_not_answer_for_the_planned_one(trial):
    script = RIGHT + "\nwith open('train.py', 'a') as file:\n    file.write('# again')\n"
    results = trial(script, tasks=["ner", "rel"]).run()
    assert sorted(r.status for r in results.values()) == ["done", "failed"]
    (error,) = (r.error for r in results.values() if r.status == "failed")
    assert "train.py changed since the grid was planned" in error


def test_a_python_function_is_called_with_two_paths(trial, tmp_path: Path):
    body = RIGHT.replace("sys.argv[1]", "one").replace("sys.argv[2]", "two")
    (tmp_path / "mine.py").write_text(
        "def train(one, two):\n" + "".join(f"    {line}\n" for line in body.splitlines())
    )
    made = trial(trainer={"command": [], "python": "mine:train"})
    before = made.ids()
    (done,) = made.run().values()
    assert done.status == "done", done.error
    (tmp_path / "mine.py").write_text((tmp_path / "mine.py").read_text() + "# better\n")
    assert not made.ids() & before


def test_an_installed_trainer_goes_by_its_name(trial, monkeypatch: pytest.MonkeyPatch):
    points = [EntryPoint("spacy", "their.module:train", external.GROUP)]
    monkeypatch.setattr(external, "entry_points", lambda group: points)
    made = trial()
    grid = json.loads(made.grid.read_text())
    for trainer in ("spacy", {"python": "spacy"}):
        made.grid.write_text(json.dumps({**grid, "trainer": trainer}))
        loaded = Grid.load(made.grid).trainer
        assert isinstance(loaded, external.External)
        assert loaded.python == "their.module:train"
    made.grid.write_text(json.dumps({**grid, "trainer": "spaci"}))
    with pytest.raises(
        InputError, match="no installed package has the trainer 'spaci'; did you mean 'spacy'"
    ):
        Grid.load(made.grid)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"trainer": {"command": ["a", "{job}"]}}, r"the command should contain \{out\}"),
        ({"trainer": {"command": "python train.py"}}, r"should be a list"),
        ({"trainer": {"python": "a:b", "command": ["{job}", "{out}"]}}, "either 'command' or 'python'"),
        ({"trainer": {}}, "either 'command' or 'python'"),
        ({"trainer": {"python": "a b:c"}}, "should be module:function"),
        ({"trainer": {"python": "a:b", "settings": {"x": float("inf")}}}, "has no form in JSON"),
        ({"trainer": {"python": "a:b", "hours": 0}}, "greater than 0"),
        ({"trainer": {"python": "a:b", "setings": {}}}, "'trainer.setings'; did you mean 'settings'"),
        ({"encoder": "minilm-l6"}, "'encoder' is for the built-in trainer"),
        ({"recipe": "quick"}, "'recipe' is for the built-in trainer"),
        ({"keep": "models"}, "keep: needs the built-in trainer"),
        ({"tune": {"lr": [0.1]}}, "tune: needs the built-in trainer"),
    ],
)
def test_wrong_keys_are_refused(trial, keys, message: str):
    made = trial()
    text = json.dumps({**json.loads(made.grid.read_text()), **keys})
    made.grid.write_text(text.replace("Infinity", ".inf"))  # as YAML writes it
    with pytest.raises(InputError, match=message):
        Grid.load(made.grid)
