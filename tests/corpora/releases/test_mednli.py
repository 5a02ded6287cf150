"""MedNLI: the fixture (invented text, the release's format), and files that are off."""

import json
import shutil
from pathlib import Path

import pytest

from transfer.corpora.releases import RELEASES, unwatched
from transfer.corpora.writing import write
from transfer.inputs import InputError

FIXTURE = Path(__file__).parents[2] / "assets" / "releases" / "mednli"
RELEASE = RELEASES["mednli"]
TRAIN = "mli_train_v1.jsonl"


@pytest.fixture(scope="module")
def reading():
    return RELEASE.read(FIXTURE, unwatched)


@pytest.fixture
def release(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FIXTURE, tmp_path / "release"))


def test_it_is_written_and_reads_back(reading, tmp_path: Path):
    corpus = write(RELEASE.card, reading.rows, tmp_path)
    assert (len(corpus.train), len(corpus.dev), len(corpus.test)) == (4, 2, 2)
    assert reading.gold == {"train": 4, "dev": 2, "test": 2}


def test_the_premise_comes_first_and_the_pair_id_is_the_id(reading):
    row = reading.rows["train"][0]
    assert row["text_a"] == 'He was transferred with a temperature of 39°C and a "wet" cough.'
    assert (row["text_b"], row["label"]) == ("The patient has a fever.", "entailment")
    assert row["id"] == "00000001-66c7-11e7-0000-000000000000"


def test_pairs_of_one_premise_are_one_document_whatever_its_white_space(reading):
    docs = [row["doc"] for row in reading.rows["train"]]
    assert docs[0] == docs[1] == docs[2] != docs[3]
    assert docs[0] == "73c2370e59d0f92b"  # for ever the same: subsets and dev depend on it


def test_windows_line_ends_and_a_last_line_without_one(reading):
    assert reading.rows["dev"][0]["text_b"] == "Renal function declined."
    assert reading.rows["test"][1]["label"] == "entailment"


def test_wrong_folder_and_missing_part(release: Path, tmp_path: Path):
    (tmp_path / "other" / "deep").mkdir(parents=True)
    with pytest.raises(InputError, match=f"holds no {TRAIN}; the folder has: deep"):
        RELEASE.read(tmp_path / "other", unwatched)
    (release / "mli_test_v1.jsonl").unlink()
    with pytest.raises(InputError, match=r"holds no mli_test_v1\.jsonl"):
        RELEASE.read(release, unwatched)


def _change(key: str, value: object):
    def changed(line: str) -> str:
        pair = json.loads(line)
        if value is None:
            del pair[key]
        else:
            pair[key] = value
        return json.dumps(pair)

    return changed


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_change("gold_label", "-"), "gold_label is '-'; it should be one of contradiction, neutral, entail"),
        (_change("gold_label", "Neutral"), "gold_label is 'Neutral'"),
        (_change("gold_label", 1), "'gold_label' should be a text"),
        (_change("sentence1", None), "the key 'sentence1' is missing"),
        (_change("sentence2", " "), "'sentence2' should be a text that is not empty"),
        (_change("sentence2", "half \ud83d"), r"holds half a character \('\\ud83d'\)"),
        (_change("pairID", ["x"]), "'pairID' should be a text"),
        (_change("pairID", "00000001-66c7-11e7-0000-000000000000"), f"was at {TRAIN} line 1 already"),
        (lambda line: line[: len(line) // 2], "not valid JSON .*is the file cut"),
        (lambda line: "[" * 100_000, "not valid JSON"),
        (lambda line: f'{{"n": {"9" * 5000}}}', "not valid JSON"),
        (lambda line: '["a"]', "should be a JSON object"),
    ],
)
def test_lines_that_are_off(release: Path, change, says: str):
    path = release / TRAIN
    lines = path.read_text(encoding="utf-8").split("\n")
    lines[1] = change(lines[1])
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError, match=says) as raised:
        RELEASE.read(release, unwatched)
    assert str(raised.value).startswith(f"{path} line 2: ")


def test_a_pair_in_two_parts(release: Path):
    shutil.copy(release / TRAIN, release / "mli_test_v1.jsonl")
    with pytest.raises(InputError, match=rf"mli_test_v1.jsonl line 1: the pairID .* was at {TRAIN} line 1"):
        RELEASE.read(release, unwatched)


def test_an_empty_file_and_another_encoding(release: Path):
    path = release / TRAIN
    text = path.read_text(encoding="utf-8")
    path.write_text("\n")
    with pytest.raises(InputError, match=f"{TRAIN}: holds no pair"):
        RELEASE.read(release, unwatched)
    path.write_bytes(text.encode("latin-1", errors="replace"))
    with pytest.raises(InputError, match=f"{TRAIN} line 1: not UTF-8"):
        RELEASE.read(release, unwatched)
