"""Columns of tokens and tags, as people write them, are read item for item or refused with line and mend."""

import re
from pathlib import Path

import pytest

from transfer.corpora import own
from transfer.corpora.own.conll import conll
from transfer.corpora.own.rows import Columns
from transfer.inputs import InputError

# in each file the sentences "no gout", "old gout pain" and "rest", so that only the form differs
WANTED = [
    (["no", "gout"], ["O", "B-F"]),
    (["old", "gout", "pain"], ["O", "B-F", "I-F"]),
    (["rest"], ["O"]),
]
PLAIN = "no O\ngout B-F\n\nold O\ngout B-F\npain I-F\n\nrest O\n"
U = "{}\t{}\t_\tNOUN\t_\t_\t0\troot\t_\t{}\n"

FORMS: dict[str, tuple[str, str]] = {
    "spaces": ("d.conll", PLAIN),
    "tabs": ("d.conll", PLAIN.replace(" ", "\t")),
    "two spaces": ("d.conll", PLAIN.replace(" ", "  ")),
    "spaces at the ends of lines": ("d.conll", PLAIN.replace("\n", " \n")),
    "tabs at the ends of lines": ("d.conll", PLAIN.replace(" ", "\t").replace("F\n", "F\t\n")),
    "blank lines of spaces": ("d.conll", PLAIN.replace("\n\n", "\n  \n")),
    "blank lines of tabs": ("d.conll", PLAIN.replace(" ", "\t").replace("\n\n", "\n\t\n")),
    "two blank lines": ("d.conll", "\n" + PLAIN.replace("\n\n", "\n\n\n") + "\n\n"),
    "line ends of Windows": ("d.conll", PLAIN.replace("\n", "\r\n")),
    "line ends of the old Mac": ("d.conll", PLAIN.replace("\n", "\r")),
    "a byte order mark": ("d.conll", "\ufeff" + PLAIN),
    "a last line without end": ("d.conll", PLAIN.rstrip()),
    "columns between": ("d.txt", re.sub(" ", " -X- _ ", PLAIN)),
    "no suffix of its own": ("d.tsv", PLAIN.replace(" ", "\t")),
    "a header": ("d.tsv", "tokens\ttags\n" + PLAIN.replace(" ", "\t")),
    "a header in capitals": ("d.tsv", "Word\tTag\n" + PLAIN.replace(" ", "\t")),
    "a header with spaces": ("d.conll", "token label\n" + PLAIN),
    "a header and a blank line": ("d.conll", "word ner\n\n" + PLAIN),
    "a header of a comment": ("d.conll", "#word\tner\n" + PLAIN.replace(" ", "\t")),
    "tags before tokens, by the header": (
        "d.tsv",
        "ner\tword\n" + re.sub(r"(\S+) (\S+)", "\\2\t\\1", PLAIN),
    ),
    "a column of nothing behind the tags": ("d.conll", re.sub(r"(O|-F)\n", r"\1 _\n", PLAIN)),
    "numbers behind the tags": ("d.conll", re.sub(r"(O|-F)\n", r"\1 0.5\n", PLAIN)),
    "a number before the token": (
        "d.conll",
        "1 no O\n2 gout B-F\n\n1 old O\n2 gout B-F\n3 pain I-F\n\n1 rest O\n",
    ),
    "numbers from 0": ("d.conll", "0 no O\n1 gout B-F\n\n0 old O\n1 gout B-F\n2 pain I-F\n\n0 rest O\n"),
    "documents": ("d.conll", "-DOCSTART- -X- -X- O\n\n" + PLAIN),
    "documents of one column": ("d.conll", "-DOCSTART-\n\n" + PLAIN),
    "documents with tabs": ("d.tsv", "-DOCSTART-\tO\n\n" + PLAIN.replace(" ", "\t")),
    "comments": ("d.conll", "# id = 1\n" + PLAIN.replace("\n\n", "\n\n# id = 2 domain=en\n")),
    "comments in files of tabs": ("d.conll", "# text\n# a b\n" + PLAIN.replace(" ", "\t")),
    "documents of CoNLL-2012": (
        "d.conll",
        f"#begin document (a/b); part 000\n{PLAIN}\n#end document\n",
    ),
    "CoNLL-U": (
        "d.conllu",
        "# newdoc id = a\n# sent_id = 1\n# text = no gout\n" + U.format(1, "no", "O")
        + U.format("2-3", "notaword", "_") + U.format(2, "gout", "B-F") + "\n"
        + U.format(1, "old", "O") + U.format(2, "gout", "B-F") + U.format("2.1", "unsaid", "_")
        + U.format(3, "pain", "I-F") + "\n" + U.format(1, "rest", "O") + "\n",
    ),
    "CoNLL-U Plus": (
        "d.conll",
        "# global.columns = ID FORM NER\n1\tno\tO\n2\tgout\tB-F\n\n1\told\tO\n2\tgout\tB-F\n3\tpain\tI-F\n\n"
        "1\trest\tO\n",
    ),
    "commas": ("d.csv", PLAIN.replace(" ", ",")),
    "commas and a header": ("d.csv", "token,tag\n" + PLAIN.replace(" ", ",")),
    "blank lines of commas": ("d.csv", PLAIN.replace(" ", ",").replace("\n\n", "\n,\n")),
    "BIOES": ("d.bio", PLAIN.replace("pain I", "pain E").replace("gout B-F\n\n", "gout S-F\n\n")),
    "IOB1": ("d.iob", PLAIN.replace("B-F", "I-F")),
    "no types": ("d.tsv", PLAIN.replace(" ", "\t").replace("-F", "")),
    "empty types": ("d.tsv", PLAIN.replace(" ", "\t").replace("-F", "-")),
    "small letters": ("d.conll", PLAIN.replace("B-", "b-").replace("I-", "i-").replace(" O", " o")),
    "letters behind the type": ("d.conll", re.sub("([BI])-F", r"F-\1", PLAIN)),
    "low lines": ("d.conll", PLAIN.replace("-F", "_F")),
}  # fmt: skip


def sentences(table) -> list[tuple[list[str], list[str]]]:
    return [(record.values["tokens"], record.values["tags"]) for record in table.records]


def in_bio(path: Path, **more) -> list[tuple[list[str], list[str]]]:
    """Rows read from a file that serves as each of the three splits."""
    sources = tuple((path, split) for split in ("train", "dev", "test"))
    request = own.Request(kind="tagging", name="F", sources=sources, **more)
    _, reading = own.read(request)
    return [(row["tokens"], row["tags"]) for row in reading.rows["test"]]


@pytest.mark.parametrize("name", FORMS)
def test_every_form_reads_alike(tmp_path: Path, name: str):
    file, text = FORMS[name]
    (tmp_path / file).write_bytes(text.encode("utf-8"))
    assert in_bio(tmp_path / file) == WANTED


@pytest.mark.parametrize(
    ("text", "token"),
    [
        ("#fever B-F\n# O\n#1 O\n", ["#fever", "#", "#1"]),
        ("a\tO\n#\tO\n", ["a", "#"]),
        ("# O\na B-F\n", ["#", "a"]),
        ("# B-F\na I-F\n", ["#", "a"]),
        ("#\tB-F\na\tI-F\n", ["#", "a"]),
        ("#begin B-F\na O\n", ["#begin", "a"]),
        ("New York\tB-F\n", ["New York"]),
        ("a\u2028b O\nc\x85 O\n", ["a\u2028b", "c\x85"]),
        ("\u200b O\n\u00ad O\n", ["\u200b", "\u00ad"]),
        ("e\u0301 O\n\u00e9 O\n", ["e\u0301", "\u00e9"]),
        ('" O\n"a O\n', ['"', '"a']),
        ("-DOCSTART O\n", ["-DOCSTART"]),
    ],
)
def test_a_token_stays_as_it_is(tmp_path: Path, text: str, token: list[str]):
    (tmp_path / "d.conll").write_bytes(text.encode())
    assert [record.values["tokens"] for record in conll(tmp_path / "d.conll").records] == [token]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_file_loses_its_byte_order_mark_and_nothing_else(tmp_path: Path, encoding: str):
    (tmp_path / "d.conll").write_bytes("\ufeffa O\nb B-F\n".encode(encoding))
    assert [record.values["tokens"] for record in conll(tmp_path / "d.conll").records] == [["\ufeffa", "b"]]


def test_documents_are_kept_together(tmp_path: Path):
    text = "".join(f"-DOCSTART- -X- O\n\na O\n\npain{i} B-S\n\n" for i in range(10))
    (tmp_path / "d.conll").write_text(text)
    _, reading = own.read(own.Request("tagging", "mine", ((tmp_path / "d.conll", None),)))
    docs = {row["doc"] for rows in reading.rows.values() for row in rows}
    assert docs == {f"d-doc{i}" for i in range(1, 11)}
    assert [len(reading.rows[split]) for split in ("train", "dev", "test")] == [16, 2, 2]


def test_comments_that_begin_a_document_separate_documents(tmp_path: Path):
    (tmp_path / "d.conllu").write_text("# newdoc id = x\n1 a O\n2 a O\n\n# newdoc\n1 a O\n2 b B-X\n")
    records = conll(tmp_path / "d.conllu").records
    assert [record.values["doc"] for record in records] == ["d-doc1", "d-doc2"]


SKILLS = "\n".join(["managed B-Skill O", "the I-Skill O", "ward I-Skill B-Knowledge", ". O O", ""] * 3)
HEADED = "word skill knowledge\n" + SKILLS


@pytest.mark.parametrize(
    ("text", "label", "tags"),
    [
        (SKILLS, "2", ["B-Skill", "I-Skill", "I-Skill", "O"]),
        (SKILLS, "3", ["O", "O", "B-Knowledge", "O"]),
        (HEADED, "skill", ["B-Skill", "I-Skill", "I-Skill", "O"]),
        (HEADED, "knowledge", ["O", "O", "B-Knowledge", "O"]),
        (HEADED, "2", ["B-Skill", "I-Skill", "I-Skill", "O"]),
        (SKILLS, None, ["O", "O", "B-Knowledge", "O"]),
        (SKILLS.replace("B-Knowledge", "O"), None, ["O", "O", "O", "O"]),  # as a split without any has it
    ],
)
def test_a_column_of_tags_is_chosen_by_number_or_name(tmp_path: Path, text: str, label: str, tags: list):
    (tmp_path / "d.conll").write_text(text)
    table = conll(tmp_path / "d.conll", Columns(label=label))
    assert [record.values["tags"] for record in table.records] == [tags] * 3
    assert (label is None) == any("--label COLUMN" in doubt for doubt in table.doubts)


def test_what_was_found_is_said(tmp_path: Path):
    (tmp_path / "d.conll").write_text("# a comment\nword pos ner\nno DT O\ngout NN B-F\n")
    table = conll(tmp_path / "d.conll")
    assert table.doubts == []
    assert table.format == (
        "UTF-8, 2 lines of tokens in 3 columns, the token in 'word', the tag in 'ner'; "
        "the first line names the columns; "
        "1 lines of comments"
    )


@pytest.mark.parametrize(
    ("text", "doubt"),
    [
        (SKILLS, r"d\.conll: the tags are read from column 3 of 3; column 2 could be meant too"),
        ("a B-NP B-X\nb I-NP O\n", "from column 3 of 3; column 2 could be meant"),
        ("a B-X 0.5\nb O 0.1\n", r"from column 2 of 3 \(--label COLUMN"),
        ("1 a B-X\n2 b O\n", "column 1 numbers the tokens"),
        ("a O\n" * 400, "all 400 tokens are one sentence"),
    ],
)
def test_what_is_assumed_is_said(tmp_path: Path, text: str, doubt: str):
    (tmp_path / "d.conll").write_text(text)
    table = conll(tmp_path / "d.conll")
    assert any(re.search(doubt, one) for one in table.doubts), table.doubts


def test_a_column_can_number_the_sentences(tmp_path: Path):
    (tmp_path / "d.tsv").write_text(
        "sentence_id\tform\tpos\ttag\n1\tno\tDT\tO\n1\tgout\tNN\tB-F\n2\trest\tVB\tO\n"
    )
    (tmp_path / "d.txt").write_text("1 no DT O\n1 gout NN B-F\n2 rest VB O\n")
    wanted = [(["no", "gout"], ["O", "B-F"]), (["rest"], ["O"])]
    assert sentences(conll(tmp_path / "d.tsv")) == wanted
    assert sentences(conll(tmp_path / "d.txt", Columns(text="2", sentence="1"))) == wanted


@pytest.mark.parametrize(
    ("text", "more", "message"),
    [
        ("a X O\n\npain\n", {}, r"d\.conll line 3: one column; the first should be the token"),
        ("a X O\n\npain X Y B-S\n", {}, r"d\.conll line 3: 4 columns, but most lines have 3"),
        ("a X Y O\nb O\nc O\n", {}, r"d\.conll line 1: 4 columns, but most lines have 2"),
        ("a\nb\n", {}, r"d\.conll line 1: one column"),
        ("a O\n#hash\n", {}, r"line 2: one column"),
        ("a O\n# a comment within\n", {}, r"line 2: 4 columns"),
        ("a O\n", {"label": "3"}, "there is no column '3', which --label names; there are 2"),
        ("a O\n", {"label": "tags"}, "there is no column 'tags', which --label names; there are 2"),
        ("word ner\na O\nb B-X\n", {"label": "nre"}, "--label names; did you mean 'ner'"),
        ("a O\n", {"text": "0"}, "no column '0', which --text names"),
        ("a O\n", {"id": "1"}, "--id: .* leave it out"),
        (
            "1 a O\n2 b O\n1 c O\n",
            {"sentence": "1", "text": "2"},
            r"line 3: goes on with a sentence .* line 1",
        ),
    ],
)
def test_what_is_wrong_is_named_where_it_stands(tmp_path: Path, text: str, more: dict, message: str):
    (tmp_path / "d.conll").write_text(text)
    with pytest.raises(InputError, match=message):
        conll(tmp_path / "d.conll", Columns(**more))


def test_tokens_alone_are_read_where_no_tags_are_wanted(tmp_path: Path):
    (tmp_path / "d.conll").write_text("aspirin\nand\n\nheparin\n")
    records = conll(tmp_path / "d.conll", tags=False).records
    assert [record.values for record in records] == [{"tokens": ["aspirin", "and"]}, {"tokens": ["heparin"]}]
