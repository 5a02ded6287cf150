"""Wrong answers of a trainer: one message with file and line, the job failed, and no score."""

import re

import pytest

from tests.trainers.conftest import HEAD, RIGHT

ONE = HEAD + "c = job['corpora'][0]\nlines = answers_of(c)\n"
LAST = "\nwrite(c['name'], lines)\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "lines.pop(3)",
            r"^predictions/rel.jsonl: 1 of 12 test items have no prediction, the first is 'test-3'",
        ),
        ("lines = []", r"^predictions/rel.jsonl: 12 of 12 test items have no prediction"),
        ("lines.append(lines[0])", r"^predictions/rel.jsonl line 13: the id 'test-0' was answered in line 1"),
        ("lines[4]['id'] = 'test-44'", r"line 5: there is no test item 'test-44'; did you mean 'test-4'"),
        ("lines[4]['id'] = 4", r"line 5: should be {\"id\": \"…\", \"predicted\": …}, not {\"id\": 4"),
        ("lines[2]['predicted'] = 'goood'", r"line 3: the label 'goood' is not in .*; did you mean 'good'"),
        ("lines[2]['predicted'] = ''", r"line 3: 'predicted' should be a text that is not empty"),
        ("lines[2]['predicted'] = 1", r"line 3: 'predicted' should be a text"),
        ("lines[2]['predicted'] = None", r"line 3: 'predicted' should be a text"),
        ("del lines[2]['predicted']", r"line 3: should be {"),
        ("lines[2]['score'] = 1", r"line 3: should be {"),
        ("lines[2] = '[1, 2]\\n'", r"line 3: should be {"),
        ("lines[2] = '{\"id\": \\n'", r"line 3: is not JSON"),
        ('lines[2] = \'{"id": "test-2", "predicted": NaN}\\n\'', r"line 3: is not JSON \(NaN"),
        ("lines[2] = '[' * 100_000 + '\\n'", r"line 3: is not JSON"),
    ],
)
def test_a_wrong_line_is_named(trial, change: str, message: str):
    (failed,) = trial(ONE + change + LAST).run().values()
    assert failed.status == "failed"
    assert failed.scores == ()
    assert re.search(message, failed.error), failed.error
    assert "\n" not in failed.error


@pytest.mark.parametrize(
    ("task", "value", "message"),
    [
        ("ner", "['O']", r"line 1: 5 tokens but 1 tags"),
        ("ner", "['O', 'O', 'O', 'O', 'B-Sing']", r"line 1: the label 'B-Sing' .*did you mean 'B-Sign'"),
        ("ner", "'O'", r"line 1: 'predicted' should be a list of texts"),
        ("sim", "'1'", r"line 1: 'predicted' should be a number"),
        ("sim", "True", r"line 1: 'predicted' should be a number"),
        ("sim", "10**400", r"line 1: "),
        ("multi", "['x', 'x']", r"line 1: 'predicted' names a label twice"),
        ("multi", "['z']", r"line 1: the label 'z'"),
        ("multi", "'x'", r"line 1: 'predicted' should be a list of texts"),
    ],
)
def test_each_kind_checks_its_own_values(trial, task: str, value: str, message: str):
    script = ONE + f"lines[0]['predicted'] = {value}" + LAST
    (failed,) = trial(script, tasks=[task]).run().values()
    assert failed.status == "failed"
    assert failed.scores == ()
    assert re.search(message, failed.error), failed.error


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("write('other', lines)", "predictions/other.jsonl: the job has no corpus of this name"),
        ("(out / 'predictions' / 'rel.csv').write_text('')", "predictions/rel.csv: the job has no corpus"),
        ("(out / 'dev.json').write_text('{\"re\": 1}')", "dev.json: there is no corpus 're' in the job"),
        ("(out / 'dev.json').write_text('{\"rel\": NaN}')", "dev.json: is not JSON"),
        ("(out / 'dev.json').write_text('{\"rel\": 1e999}')", "'rel' should be a number, not Infinity"),
        ("(out / 'dev.json').write_text('[1]')", "dev.json: should be an object of numbers"),
        ("(out / 'history.csv').write_text('a,b\\n')", "history.csv: its columns should be"),
        (
            "(out / 'history.csv').write_text('epoch,corpus,loss,dev\\n1,rel,nan,\\n')",
            "history.csv: line 2: nan is not a finite number",
        ),
        ("pathlib.Path(c['train']).write_text('')", "the trainer changed the files of its job"),
        (
            "(pathlib.Path(sys.argv[1]).parent / 'x').write_text('')",
            "the trainer changed the files of its job",
        ),
    ],
)
def test_other_files_are_checked(trial, more: str, message: str):
    (failed,) = trial(ONE + LAST + more).run().values()
    assert failed.status == "failed"
    assert failed.scores == ()
    assert message in failed.error


def test_answers_in_the_wrong_place_are_pointed_at(trial):
    script = ONE + "(out / 'rel.jsonl').write_text('')"
    (failed,) = trial(script).run().values()
    assert failed.error.startswith("predictions/rel.jsonl: is missing; ")
    assert failed.error.endswith("there is rel.jsonl")


def test_the_output_precedes_the_message(trial):
    (failed,) = trial("print('all done')").run().values()
    assert "all done" in failed.error
    assert failed.reason.startswith("predictions/rel.jsonl: is missing")


def test_right_answers_are_scored_here(trial):
    more = """
(out / 'dev.json').write_text('{"rel": 0.25}')
(out / 'history.csv').write_text('epoch,corpus,loss,dev\\n1,rel,0.5,\\n2,rel,0.25,0.75\\n')
"""
    gold = ONE + "lines = [{'id': r['id'], 'predicted': LABELS[int(r['id'][5:]) % 3]}"
    gold = gold.replace("lines = answers", "LABELS = ['good', 'bad', 'none']\nlines = answers")
    gold += " for r in reversed(rows_of(c['test']))]"  # in any order
    (done,) = trial(gold + LAST + more).run().values()
    assert done.status == "done", done.error
    assert {(s.split, s.value) for s in done.scores} == {("dev", 0.25), ("test", 1.0)}
    assert [(e.epoch, e.loss, e.dev) for e in done.history] == [
        (1, {"rel": 0.5}, {"rel": None}),
        (2, {"rel": 0.25}, {"rel": 0.75}),
    ]


def test_every_kind_is_answered(trial):
    results = trial(RIGHT, tasks=["sim", "rel", "ner", "multi"], jobs=["all"]).run()
    (done,) = results.values()
    assert done.status == "done", done.error
    assert {s.corpus for s in done.scores} == {"sim", "rel", "ner", "multi"}
