"""Records: a result is what was written or it is damaged, and old records load for ever."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.grids import TASKS, grid_of, jobs_of
from transfer.grid import ADDED_LATER
from transfer.inputs import InputError
from transfer.records import FORMAT, Damaged, GridRecord, JobResult, Score, result_of, signed, without_paths

(JOB,) = jobs_of(grid_of(TASKS[:1], jobs=["single"]))
SCORE = Score(corpus=TASKS[0], split="test", metric="pearson", value=0.123456789, items=5)
DONE = JobResult(id=JOB.id, job=JOB, status="done", scores=(SCORE,), source="prepared", seconds=1.5)
TEXT = signed(DONE)


def test_a_signed_result_is_read_as_it_was():
    found = result_of(TEXT, where="r")
    assert found.model_copy(update={"checksum": ""}) == DONE
    assert found.checksum
    assert signed(found) == TEXT, "signing again changes nothing"


@given(st.integers(0, len(TEXT) - 1), st.integers(1, 255))
def test_no_changed_byte_is_ever_read_as_another_score(at: int, change: int):
    changed = bytearray(TEXT)
    changed[at] ^= change
    try:
        found = result_of(bytes(changed), where="r")
    except InputError:
        return
    # white space at the end says nothing; without the key `checksum` it is a result of the first format
    assert found.scores == DONE.scores


def test_a_result_that_was_cut_short_or_edited_is_damaged():
    for text in (TEXT[:-20], b"", b"[]", TEXT.replace(b"0.123456789", b"0.923456789")):
        with pytest.raises(Damaged, match=r"^here: "):
            result_of(text, where="here")


def test_a_result_without_a_checksum_is_taken_as_it_is():
    assert result_of(DONE.model_dump_json().encode(), where="r") == DONE


def test_a_key_of_a_later_version_is_passed_over_but_a_later_format_is_not_damage():
    data = json.loads(DONE.model_dump_json())
    assert result_of(json.dumps({**data, "energy": 3.5}).encode(), where="r") == DONE
    with pytest.raises(InputError, match="written by a later version") as caught:
        result_of(json.dumps({**data, "format": FORMAT + 1}).encode(), where="r")
    assert not isinstance(caught.value, Damaged)


@pytest.mark.parametrize("wrong", [{"value": None}, {"undefined": "why"}, {"value": math.nan}])
def test_a_score_has_a_number_or_a_reason(wrong: dict):
    with pytest.raises(ValidationError):
        Score.model_validate(SCORE.model_dump() | wrong)
    undefined = Score.model_validate(SCORE.model_dump() | {"value": None, "undefined": "constant"})
    assert math.isnan(undefined.number)
    assert (undefined.shown, SCORE.shown) == ("undefined", "0.1235")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ("", ""),
        ("Traceback\n  line\nOSError: no space\n", "OSError: no space"),
        ("transfer.inputs.InputError: a: b", "InputError: a: b"),
        ("transfer.learning.evaluate.Diverged: training diverged: x", "training diverged: x"),
    ],
)
def test_the_reason_of_a_failure_is_the_last_line(error: str, reason: str):
    assert DONE.model_copy(update={"status": "failed", "error": error}).reason == reason


def test_a_record_without_a_later_key_means_what_was_done_before_it(monkeypatch: pytest.MonkeyPatch):
    """So a default may change and old records stay what they were."""
    grid = grid_of(TASKS)
    record = GridRecord(grid=grid, recipe_name="", source="prepared", corpora=(), jobs=jobs_of(grid))
    data = json.loads(record.model_dump_json())
    del data["grid"]["single_seeds"]
    monkeypatch.setitem(ADDED_LATER, "single_seeds", "4x")
    assert GridRecord.model_validate_json(json.dumps(data)).grid.single_seeds == "4x"
    assert GridRecord.model_validate_json(record.model_dump_json()).grid.single_seeds == "1x"


def test_a_report_is_named_after_its_grid_where_nothing_was_changed():
    grid = grid_of(TASKS)
    record = GridRecord(grid=grid, recipe_name="", source="prepared", corpora=(), jobs=())
    assert record.title == "g"
    assert record.model_copy(update={"report_name": "g+seeds=2"}).title == "g+seeds=2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no file '/home/ann/runs/x.json'", "no file '…/x.json'"),
        ("~/models/bert", "…/bert"),
        (r"C:\Users\ann\x.json", "…/x.json"),
        ("see https://example.org/a/b and a/b", "see https://example.org/a/b and a/b"),
        ("precision/recall", "precision/recall"),
    ],
)
def test_paths_of_the_machine_are_cut(text, shown):
    assert without_paths(text) == shown
