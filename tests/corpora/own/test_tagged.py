"""Tagged text of any format as sentences in BIO: blank tokens, untyped tags, plain labels, real corpora."""

import csv
import json
import re
import tempfile
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transfer.corpora import own, prepared
from transfer.corpora.own.conll import conll
from transfer.corpora.own.rows import Columns
from transfer.corpora.own.tagged import TaggingOptions
from transfer.corpora.writing import write
from transfer.inputs import InputError


def read(path: Path, test: Path | None = None, **more):
    sources = ((path, "train"), (path, "dev"), (test or path, "test"))
    return own.read(own.Request("tagging", "mine", sources, **more))  # type: ignore[arg-type]


def rows(reading, split: str = "test") -> list[tuple[list[str], list[str]]]:
    return [(row["tokens"], row["tags"]) for row in reading.rows[split]]


def file(path: Path, text: str) -> Path:
    path.write_bytes(text.encode("utf-8"))
    return path


# blank tokens

BLANK = {
    "spaces": ("d.conll", "no\tO\n  \tO\ngout\tB-F\n", 2),
    "a space that does not break": ("d.conll", "no\tO\n\u00a0 \tO\ngout\tB-F\n", 2),
    "nothing": ("d.conll", "no\tO\n\tO\ngout\tB-F\n", 2),
    "an ideographic space": ("d.conll", "no\tO\n\u3000\tO\ngout\tB-F\n", 2),
    "with spaces between": ("d.conll", "no O\n\u00a0 O\ngout B-F\n", 2),
    "in a second sentence": ("d.tsv", "no\tO\n\ngout\tB-F\n\u2003\tO\n", 4),
    "below a header": ("d.tsv", "word\tner\nno\tO\n \tO\n\ngout\tB-F\n", 3),
    "in a table": ("d.csv", "sent_id,word,tag\n1,no,O\n1,\u00a0,O\n1,gout,B-F\n", 3),
}


@pytest.mark.parametrize("name", BLANK)
def test_a_blank_token_is_refused_in_its_own_line_or_dropped(tmp_path: Path, name: str):
    path, text, line = BLANK[name]
    source = file(tmp_path / path, text)
    with pytest.raises(InputError) as error:
        read(source)
    assert re.search(rf"{path} line {line}: the token is .*--blank-tokens drop", str(error.value))
    assert "tokens'" not in str(error.value)  # a column of this name is nowhere in the file
    _, reading = read(source, tagging=TaggingOptions(drop_blanks=True))
    kept = [(t, g) for tokens, tags in rows(reading) for t, g in zip(tokens, tags, strict=True)]
    assert kept == [("no", "O"), ("gout", "B-F")]
    assert "test: 1 blank tokens are left out" in reading.notes


def test_a_blank_token_of_a_list_is_named_by_its_number(tmp_path: Path):
    source = file(tmp_path / "d.jsonl", json.dumps({"words": ["no", " "], "tags": ["O", "O"]}))
    with pytest.raises(
        InputError, match=r"d\.jsonl line 1 token 2: the token is nothing but white space \(U\+0020"
    ):
        read(source)


@pytest.mark.parametrize(
    ("tags", "kept", "note"),
    [
        ("O B-F I-F", "O B-F", ""),  # the blank token opened the mention
        ("B-F I-F I-F", "B-F I-F", ""),
        ("B-F B-F I-F", "B-F B-F", ""),  # two mentions stay two
        ("B-F B-F O", "B-F O", ", and 1 mentions of nothing else"),
        ("I-F I-F I-F", "B-F I-F", ""),
    ],
)
def test_what_is_left_of_a_mention_stays_a_mention(tmp_path: Path, tags: str, kept: str, note: str):
    lines = zip(["a", "\u00a0", "b"], tags.split(), strict=True)
    source = file(tmp_path / "d.conll", "".join(f"{token}\t{tag}\n" for token, tag in lines) + "\nc\tB-F\n")
    _, reading = read(source, tagging=TaggingOptions(drop_blanks=True))
    assert rows(reading)[0] == (["a", "b"], kept.split())
    assert f"test: 1 blank tokens are left out{note}" in reading.notes


def test_a_sentence_of_blank_tokens_goes(tmp_path: Path):
    source = file(tmp_path / "d.conll", "\u00a0\tO\n\nc\tB-F\n")
    _, reading = read(source, tagging=TaggingOptions(drop_blanks=True))
    assert rows(reading) == [(["c"], ["B-F"])]
    assert "test: 1 blank tokens are left out, and 1 sentences" in reading.notes


# tags without a type, and plain labels


def test_tags_without_a_type_get_the_corpus_name_or_the_one_that_is_said(tmp_path: Path):
    source = file(tmp_path / "d.tsv", "no\tO\ngout\tB\npain\tI\n")
    card, reading = read(source)
    assert (card.entities, rows(reading)[0][1]) == (("mine",), ["O", "B-mine", "I-mine"])
    assert any("--entity NAME" in note for note in reading.doubts)
    card, reading = read(source, tagging=TaggingOptions(entity="Finding"))
    assert (card.entities, rows(reading)[0][1]) == (("Finding",), ["O", "B-Finding", "I-Finding"])
    assert not any("--entity" in note for note in reading.doubts)


POS = "The\tDT\npatient\tNN\nrests\tVB\n\nO\tO\n.\t.\n\nB-1\tB-NP\n"


def test_plain_labels_are_kept_as_they_are(tmp_path: Path):
    card, reading = read(file(tmp_path / "d.conll", POS), metric="token_accuracy")
    assert card.labels == (".", "B-NP", "DT", "NN", "O", "VB")
    assert (card.metric, card.entities, card.unit, card.gold["test"]) == ("token_accuracy", (), "tokens", 6)
    assert rows(reading)[0] == (["The", "patient", "rests"], ["DT", "NN", "VB"])
    corpus = write(card, reading.rows, tmp_path / "to")
    assert corpus.test[0].gold == ("DT", "NN", "VB")
    assert prepared.read(tmp_path / "to", "mine") == corpus


UD = "1\tno\tno\tDET\tDT\t_\t0\t_\t_\t_\n2\tgout\t_\tNOUN\tNN\t_\t0\t_\t_\t_\n"
LISTS = '{"tokens": ["no", "gout"], "pos_tags": ["DT", "NN"], "ner_tags": ["O", "B-F"]}'


@pytest.mark.parametrize(
    ("name", "text", "columns", "tags"),
    [
        ("d.conllu", UD, {}, "DET NOUN"),
        ("d.conllu", UD, {"label": "XPOS"}, "DT NN"),
        ("d.tsv", "word\tpos\tner\nno\tDT\tO\ngout\tNN\tB-F\n\nb\tDT\tO\n", {}, "DT NN"),
        ("d.conll", "no DT O\ngout NN B-F\n", {"label": "2"}, "DT NN"),
        ("d.csv", "sent_id,word,pos,tag\n1,no,DT,O\n1,gout,NN,B-F\n", {"label": "pos"}, "DT NN"),
        ("d.jsonl", LISTS, {}, "DT NN"),
    ],
)  # fmt: skip
def test_labels_are_found_in_every_format(tmp_path: Path, name: str, text: str, columns: dict, tags: str):
    _, reading = read(file(tmp_path / name, text), columns=Columns(**columns), metric="token_accuracy")
    assert rows(reading)[0] == (["no", "gout"], tags.split())


def test_labels_where_mentions_are_expected_name_both_ways(tmp_path: Path):
    with pytest.raises(InputError, match=r"line 1: the tag is 'DT'.*--metric token_accuracy.*--scheme io"):
        read(file(tmp_path / "d.conll", POS.replace("B-NP", "NP")))


def test_tags_that_are_numbers_need_names(tmp_path: Path):
    source = file(tmp_path / "d.jsonl", '{"tokens": ["no", "gout"], "ner_tags": [0, 1]}')
    with pytest.raises(InputError, match=r"line 1: the column 'ner_tags' holds numbers, as in 0; --labels"):
        read(source)
    assert rows(read(source, names=("O", "B-F"))[1])[0][1] == ["O", "B-F"]
    with pytest.raises(
        InputError, match=r"line 1: the column 'ner_tags' holds 1, which has no name; --labels"
    ):
        read(source, names=("O",))


# the command


def ask(transfer, tmp_path: Path, *words: object) -> tuple[int, str, str]:
    return transfer(
        "corpora", "prepare", "own", "--kind", "tagging", "--name", "m", *words, "--to", tmp_path / "to"
    )


SKILLS = "word\tskill\tknow how\n" + "managed\tB-S\tO\nward\tI-S\tB-K\n\n" * 12


@pytest.mark.parametrize(
    ("label", "names"), [("2,3", ["m-2", "m-3"]), ("skill, know how", ["m-skill", "m-know-how"])]
)
def test_several_columns_of_tags_make_a_corpus_of_each(
    tmp_path: Path, transfer, label: str, names: list[str]
):
    source = file(tmp_path / "d.tsv", SKILLS)
    code, out, err = ask(transfer, tmp_path, "--from", source, "--label", label)
    assert (code, err) == (0, "")
    assert f"a grid that names {', '.join(names)}" in out
    corpora = [prepared.read(tmp_path / "to", name) for name in names]
    assert [corpus.card.entities for corpus in corpora] == [("S",), ("K",)]
    # the sentences and the splits are the same, so that no test sentence of one is trained on in the other
    for split in ("train", "dev", "test"):
        first, second = ([e.text for e in corpus.split(split)] for corpus in corpora)
        assert first == second
    code, _, err = ask(transfer, tmp_path, "--from", source, "--label", label)
    assert (code, "already exists; --force" in err) == (2, True)


def test_nothing_is_written_where_one_of_several_columns_is_wrong(tmp_path: Path, transfer):
    source = file(tmp_path / "d.tsv", SKILLS)
    code, _, err = ask(transfer, tmp_path, "--from", source, "--label", "skill,word")
    assert (code, "the tag is 'managed'" in err) == (2, True)
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--from F --label 2,2", "should be different columns"),
        ("--from F --label 2,", "should be different columns"),
        ("--from F --scheme biose", "--scheme: 'biose' is unknown; did you mean 'bioes'"),
        ("--from F --blank-tokens keep", "--blank-tokens: 'keep' is unknown; known: drop"),
        ("--from F --entity B-X", "--entity B-X is for tags without a type, but 'B-K' at"),
        ("--from F --metric token_accuracy --scheme io", "--scheme is for tags of mentions"),
        ("--from F --metric token_acuracy", "did you mean 'token_accuracy'"),
    ],
)
def test_options_that_make_no_sense_are_one_message(tmp_path: Path, transfer, options: str, message: str):
    source = file(tmp_path / "d.tsv", SKILLS)
    code, _, err = ask(transfer, tmp_path, *[source if word == "F" else word for word in options.split()])
    assert code == 2
    assert message in err
    assert not (tmp_path / "to").exists()


# files of other people


def plain_conll(path: Path) -> list[list[list[str]]]:
    """The sentences of a file of tabs, in three lines and without a look at the reader."""
    blocks = re.split(r"\n\s*\n", path.read_text(encoding="utf-8").strip("\n"))
    return [[line.split("\t") for line in block.split("\n")] for block in blocks]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "entity"), [("disease", "Disease"), ("chem", "Chemical")])
def test_bc5cdr_has_the_mentions_that_its_tags_begin(raw: Path, name: str, entity: str):
    home = raw / "bc5cdr_iob" / f"BC5CDR-{name}-IOB"
    card, reading = read(home / "train.tsv", home / "test.tsv")
    wanted = plain_conll(home / "test.tsv")
    assert rows(reading) == [([c[0] for c in sentence], [c[1] for c in sentence]) for sentence in wanted]
    assert card.gold["test"] == sum(c[1] == f"B-{entity}" for sentence in wanted for c in sentence)
    assert not any("--" in note for note in reading.doubts)


@pytest.mark.slow
def test_bc5cdr_in_io_loses_only_borders_of_touching_mentions(raw: Path, tmp_path: Path):
    home = raw / "bc5cdr_iob" / "BC5CDR-disease-IOB"
    text = (home / "test.tsv").read_text(encoding="utf-8").replace("\tB-", "\tI-")
    card, reading = read(file(tmp_path / "d.tsv", text))
    runs = sum(
        now != "O" and before == "O"
        for sentence in plain_conll(home / "test.tsv")
        for before, now in pairwise(["O", *(cells[1] for cells in sentence)])
    )
    assert card.gold["test"] == runs
    assert any("--scheme io" in note for note in reading.doubts)


# round trips

TOKEN = st.text(
    st.sampled_from("aB1#-.,;:'\"\u00e9\u0301\u200b\u2028\u0085\ufeff\u00adß汉\\"), min_size=1, max_size=4
)
SENTENCE = st.lists(
    st.tuples(TOKEN, st.sampled_from(["O", "O", "B-X", "I-X", "B-Y", "I-Y"])), min_size=1, max_size=6
)
FORMS = st.sampled_from(["tab", "space", "table", "lists"])


def check_round_trip(drawn, form: str, ends: str) -> None:
    """Files that the standard library writes are read back item for item, or refused."""
    legal = []  # in BIO a mention opens with B
    for sentence in drawn:
        before = "O"
        legal.append([])
        for token, tag in sentence:
            if tag[0] == "I" and before[2:] != tag[2:]:
                tag = f"B-{tag[2:]}"
            legal[-1].append((token, tag))
            before = tag
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / {"tab": "d.tsv", "space": "d.conll", "table": "d.csv", "lists": "d.jsonl"}[form]
        with path.open("w", encoding="utf-8", newline="") as out:
            if form == "table":
                writer = csv.writer(out, lineterminator=ends)
                writer.writerow(["sentence_id", "token", "tag"])
                writer.writerows([i, *pair] for i, sentence in enumerate(legal) for pair in sentence)
            elif form == "lists":
                for sentence in legal:
                    words, tags = zip(*sentence, strict=True)
                    out.write(json.dumps({"tokens": words, "tags": tags}) + ends)
            else:
                between = "\t" if form == "tab" else " "
                for sentence in legal:
                    out.write("".join(f"{token}{between}{tag}{ends}" for token, tag in sentence) + ends)
        try:
            _, reading = read(path)
        except InputError:
            return
    # the first character of a UTF-8 file is its byte order mark where it could be one, and is named so
    first, tag = legal[0][0]
    if form in ("tab", "space") and first.startswith("\ufeff"):
        assert "with a byte order mark" in reading.tables[0].format
        legal[0][0] = (first[1:], tag)
    assert [list(zip(*row, strict=True)) for row in rows(reading)] == legal


quiet = {"deadline": None, "suppress_health_check": list(HealthCheck)}


@settings(max_examples=60, **quiet)
@given(st.lists(SENTENCE, min_size=2, max_size=5), FORMS, st.sampled_from(["\n", "\r\n"]))
def test_what_is_written_is_read_back(drawn, form: str, ends: str):
    check_round_trip(drawn, form, ends)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["tab", "space", "table", "lists"])
@settings(max_examples=300, **quiet)
@given(st.lists(SENTENCE, min_size=2, max_size=5), st.sampled_from(["\n", "\r\n"]))
def test_what_is_written_is_read_back_300_times(form: str, drawn, ends: str):
    check_round_trip(drawn, form, ends)


@settings(max_examples=100, **quiet)
@given(st.lists(SENTENCE, min_size=2, max_size=5))
def test_most_of_what_is_written_is_not_refused(drawn):
    """A reader that refuses everything changes nothing; of tokens of letters all are read."""
    lines = [[("a" + re.sub(r"\W", "", token), tag) for token, tag in sentence] for sentence in drawn]
    with tempfile.TemporaryDirectory() as name:
        path = file(
            Path(name) / "d.conll",
            "\n\n".join("\n".join(f"{token}\t{tag}" for token, tag in sentence) for sentence in lines),
        )
        records = conll(path).records
    assert [list(zip(r.values["tokens"], r.values["tags"], strict=True)) for r in records] == lines
