"""Text to pretrain on: what is read, what never is, and who is held out."""

from pathlib import Path

import pytest

from transfer.corpora import load_one
from transfer.corpora.texts import Texts, read
from transfer.inputs import InputError


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def all_of(texts: Texts) -> set[str]:
    return {*texts.train, *texts.dev}


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    """30 documents of three lines."""
    blocks = ["\n".join(f"note {i} says {word}" for word in ("pain", "fever", "cough")) for i in range(30)]
    return written(tmp_path / "notes.txt", "\n\n".join(blocks) + "\n")


def test_no_document_is_divided(notes: Path):
    texts = read([notes])
    assert (len(texts.train) + len(texts.dev), sum(texts.documents)) == (90, 30)
    of = {part: {text.split()[1] for text in getattr(texts, part)} for part in ("train", "dev")}
    assert not of["train"] & of["dev"]
    assert len(of["dev"]) == texts.documents[1] == 2, "the fewest documents that have 5 % of the words"


def test_without_blank_lines_each_line_is_a_document(tmp_path: Path):
    texts = read([written(tmp_path / "lines.txt", "".join(f"line {i}\n" for i in range(40)))])
    assert texts.documents == (38, 2)


def test_of_a_corpus_the_train_split_alone_is_read(write_corpus, tmp_path: Path):
    """Also where dev is topped up from train, and where another text repeats what dev or test say."""
    card = {"name": "notes", "kind": "classification", "metric": "accuracy", "labels": ["a", "b"]}
    rows = {
        split: [
            {
                "id": f"{i}",
                "text": f"{split} text number {i}",
                "label": "ab"[i % 2],
                "doc": f"{split} {i // 4}",
            }
            for i in range(count)
        ]
        for split, count in (("train", 400), ("dev", 20), ("test", 40))
    }
    home = write_corpus(tmp_path / "corpora", card, rows)
    corpus = load_one(home.parent, "notes")
    assert len(corpus.dev) > 20, "dev is topped up"
    plain = written(
        tmp_path / "web.txt", "".join(f"Test  text number {i}\n" for i in range(40)) + "else\n" * 2
    )
    texts = read([home, plain])
    assert all_of(texts) == {e.text[0] for e in corpus.train} | {"else"}
    assert (texts.left_out, texts.repeated) == (40, 1)
    assert [(s.kind, s.texts) for s in texts.sources] == [
        ("train split of a corpus", len(corpus.train)),
        ("text", 42),
    ]


def test_a_folder_of_corpora_is_all_of_them(tiny_corpora: Path):
    texts = read([tiny_corpora])
    assert [Path(s.path).name for s in texts.sources] == ["multi", "ner", "rel", "sim"]
    train, other = set(), set()
    for name in ("multi", "ner", "rel", "sim"):
        corpus = load_one(tiny_corpora, name)
        for split, found in (("train", train), ("dev", other), ("test", other)):
            for e in corpus.split(split):
                found |= {" ".join(e.text)} if name == "ner" else set(e.text)
    # the tiny corpora repeat their texts over the splits: what dev or test have is out
    assert all_of(texts) == train - other
    assert texts.left_out > 0


@pytest.mark.parametrize("kind", ["dev.jsonl", "test.jsonl"])
def test_a_split_that_is_named_itself_is_refused(tiny_corpora: Path, kind: str):
    with pytest.raises(InputError, match="of a prepared corpus name the folder"):
        read([tiny_corpora / "rel" / kind])


def test_the_same_text_twice_counts_once_and_the_order_of_files_does_not_matter(notes: Path, tmp_path: Path):
    again = written(tmp_path / "again.txt", notes.read_text().upper())
    other = written(tmp_path / "other.txt", "".join(f"other {i}\n" for i in range(20)))
    once = read([notes, other])
    assert once == read([notes, other])
    turned, twice = read([other, notes]), read([notes, again, other])
    assert turned.fingerprint == once.fingerprint
    assert (twice.repeated, len(all_of(twice))) == (90, len(all_of(once)))
    assert read([other]).fingerprint != once.fingerprint


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no text"),
        (b" \n\n", "holds no text"),
        (b"one\nand two\n", "2 different documents are too few"),
        (b"same\n" * 50, "1 different documents are too few"),
        (b"fine\n\xff\n", r"not UTF-8 \(byte 6\)"),
        (b"a\n" * 20 + b"\0", "bytes of 0"),
        (b"a b c d e f g\n\n" + b"\n\n".join(b"%d" % i for i in range(9)), None),
    ],
)
def test_text_that_is_none_or_too_little(tmp_path: Path, content: bytes, message: str | None):
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    if message is None:
        assert len(read([path]).dev) >= 1
        return
    with pytest.raises(InputError, match=message) as caught:
        read([path])
    assert str(path) in str(caught.value)


def test_places_where_no_text_is(tmp_path: Path, notes: Path):
    with pytest.raises(InputError, match=r"no such text; did you mean '.*notes\.txt'"):
        read([notes.with_name("note.txt")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no prepared corpus is in this folder"):
        read([tmp_path / "empty"])


def test_a_corpus_that_is_broken_is_told_of_with_its_line(write_corpus, tmp_path: Path):
    card = {"name": "bad", "kind": "classification", "metric": "accuracy", "labels": ["a"]}
    home = write_corpus(
        tmp_path, card, {s: [{"id": "1", "text": "x", "label": "b"}] for s in ("train", "dev", "test")}
    )
    with pytest.raises(InputError, match=r"train\.jsonl line 1: the label 'b'"):
        read([home])
