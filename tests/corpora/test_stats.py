"""Counts of prepared corpora: in the corpus's unit beside the lines, and the published ones beside both."""

import csv
from pathlib import Path

import pytest

from transfer.corpora.stats import stats
from transfer.inputs import InputError

RELATIONS = {
    "name": "chemprot",
    "kind": "classification",
    "metric": "micro_f1",
    "labels": ["CPR:3", "false"],
    "negative": "false",
}


def relations(count: int = 6) -> dict[str, list[dict]]:
    return {
        split: [
            {"id": f"{split}{i}", "text": f"{split} {i}", "label": "false" if i % 3 else "CPR:3"}
            for i in range(count)
        ]
        for split in ("train", "dev", "test")
    }


def test_counts_of_the_lines_where_the_card_has_none(tiny_corpora: Path):
    found = {each.name: each for each in stats(tiny_corpora)}
    units = {name: each.unit for name, each in found.items()}
    assert units == {"sim": "pairs", "rel": "lines that are not none", "ner": "mentions", "multi": "lines"}
    counts = {name: [(row.count, row.lines) for row in each.splits] for name, each in found.items()}
    assert counts["rel"] == [(16, 24), (8, 12), (8, 12)]
    assert counts["ner"] == counts["multi"] == counts["sim"] == [(24, 24), (12, 12), (12, 12)]


def test_mentions_that_no_tags_name_are_counted(tmp_path: Path, write_corpus):
    row = {
        "id": "1",
        "tokens": ["a", "b"],
        "tags": ["O", "B-X"],
        "starts": [0, 2],
        "mentions": [["X", 2, 3], ["X", 0, 1, 2, 3]],
    }
    card = {"name": "ner", "kind": "tagging", "metric": "span_f1", "entities": ["X"]}
    write_corpus(tmp_path, card, {split: [row] for split in ("train", "dev", "test")})
    (found,) = stats(tmp_path)
    assert [row.count for row in found.splits] == [2, 2, 2]


def test_the_cards_own_count_comes_before_that_of_the_lines(tmp_path: Path, write_corpus):
    gold = {"train": 4157, "dev": 2416}
    card = {**RELATIONS, "unit": "positive relations", "gold": gold, "notes": ["told"], "splits": "official"}
    write_corpus(tmp_path, card, relations())
    (found,) = stats(tmp_path)
    assert [(row.count, row.counted, row.lines) for row in found.splits] == [
        (4157, "card", 6),
        (2416, "card", 6),
        (2, "lines", 6),
    ]
    assert (found.unit, found.notes) == ("positive relations", ("splits: official", "told"))


def test_a_broken_corpus_and_an_empty_folder_are_input_errors(tmp_path: Path, write_corpus, transfer):
    splits = relations()
    splits["dev"][1]["label"] = "none"
    write_corpus(tmp_path, RELATIONS, splits)
    with pytest.raises(InputError, match=r"dev\.jsonl line 2: the label 'none'"):
        list(stats(tmp_path))
    (tmp_path / "empty").mkdir()
    code, _, err = transfer("corpora", "stats", tmp_path / "empty")
    assert code == 2
    assert "no prepared corpus is in it" in err


def test_the_table_on_the_terminal_as_markdown_and_as_csv(tmp_path: Path, write_corpus, transfer):
    write_corpus(tmp_path, {**RELATIONS, "gold": {"train": 4157}}, relations())
    code, out, _ = transfer("corpora", "stats", tmp_path, "--csv", tmp_path / "t.csv")
    assert code == 0
    heading, train, *_ = out.splitlines()
    assert heading.index("difference") + len("difference") == len(train)  # aligned to the right
    assert train.split()[-5:] == ["train", "4157", "6", "4154", "+3"]
    assert "chemprot: train: the release has 4157" in out
    with (tmp_path / "t.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["split"], row["count"], row["difference"]) for row in rows[:2]] == [
        ("train", "4157", "+3"),
        ("dev", "2", "-2414"),
    ]
    code, out, _ = transfer("corpora", "stats", tmp_path, "--markdown")
    assert out.startswith("| corpus | task |")
    assert "| train | 4157 | 6 | 4154 | +3 |" in out
    code, _, err = transfer("corpora", "stats", tmp_path, "--csv", tmp_path)
    assert code == 2
    assert "cannot be written" in err


def test_the_list_says_what_is_known_and_what_is_there(tmp_path: Path, write_corpus, transfer):
    write_corpus(tmp_path, RELATIONS, relations())
    write_corpus(tmp_path, {**RELATIONS, "name": "mine", "licence": "CC0"}, relations())
    code, out, _ = transfer("corpora", "list", tmp_path)
    assert code == 0
    table, _, terms = out.partition("Licenses and sources")
    lines = {line.split()[0]: line for line in table.splitlines() if line.strip()}
    assert lines["chemprot"].endswith("yes")
    assert lines["ddi2013"].endswith("no")
    assert lines["mine"].split()[-1] == "yes"
    assert "mine: CC0" in terms.splitlines()
    assert "mednli" in lines["synthetic,"]
    assert "prepared" not in transfer("corpora", "list")[1]


def test_the_bare_command_shows_its_help(transfer):
    _, out, err = transfer("corpora")
    for command in ("list", "check", "stats"):
        assert command in out + err
