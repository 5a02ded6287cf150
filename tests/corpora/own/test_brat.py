"""Stand-off is read mention for mention, or refused where its places and its texts disagree."""

import itertools
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transfer.corpora import own
from transfer.corpora.own.brat import brat
from transfer.corpora.own.rows import Columns
from transfer.corpora.own.tagged import TaggingOptions
from transfer.corpora.writing import write
from transfer.inputs import InputError


def read(kind: str, *sources: Path, **more):
    return own.read(own.Request(kind, "mine", tuple((path, None) for path in sources), **more))  # type: ignore[arg-type]


def every(reading) -> list[dict]:
    return sorted((row for rows in reading.rows.values() for row in rows), key=lambda row: row["id"])


def standoff(
    folder: Path, count: int = 10, ann: str = "T1\tSign 4 8\tpain\nR1\tX Arg1:T1\n#1\tnote\n"
) -> Path:
    folder.mkdir()
    for i in range(count):
        (folder / f"n{i}.txt").write_text("Old pain and\ncough. No fever.\n")
        (folder / f"n{i}.ann").write_text(ann)
    return folder


def test_stand_off_keeps_every_mention_and_says_which_have_no_tags(tmp_path: Path):
    pieces = "T1\tSign 4 8\tpain\nT2\tSign 0 3;13 18\tOld cough\n"
    card, reading = read("tagging", standoff(tmp_path / "d", ann=pieces))
    first = every(reading)[0]
    assert first["tags"][:3] == ["O", "B-Sign", "O"]
    assert first["mentions"] == [["Sign", 0, 3, 13, 18], ["Sign", 4, 8]]
    assert sum(reading.gold.values()) == 20
    assert card.notes == (
        "all splits: 10 of 20 mentions have no tags and count as missed (10 in several pieces)",
    )
    assert all(row["doc"] in row["id"] for row in every(reading))
    write(card, reading.rows, tmp_path / "to")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("T1\tSign 3 4\t ", "nothing but white space"),
        ("T1\tSign 4 8\tfever", "the text has 'pain', the mention says 'fever'"),
        ("T1\tSign 4 99\tpain", "4 99 are not in the text, which has 30 characters"),
        ("T1\tSign 8 4\tpain", "the offsets 8 4"),
        ("T1 Sign 4 8 pain", "a mention is written T1<tab>"),
        ("X1\tSign 4 8\tpain", "a mention is written T1<tab>"),
    ],
)
def test_stand_off_that_does_not_match_its_text_is_refused(tmp_path: Path, line: str, what: str):
    folder = standoff(tmp_path / "d")
    (folder / "n3.ann").write_text(f"T2\tSign 4 8\tpain\n{line}\n")
    with pytest.raises(InputError, match=rf"n3\.ann line 2: .*({what})"):
        read("tagging", folder)


def test_stand_off_without_its_other_half_is_refused(tmp_path: Path):
    folder = standoff(tmp_path / "d")
    (folder / "n3.ann").unlink()
    with pytest.raises(InputError, match=r"n3\.txt: has no n3\.ann"):
        read("tagging", folder)


LINES = "She has severe liver\nfailure since May.\r\nLeft and  right\n\nknee pain."


def place(*pieces: str) -> list[tuple[int, int]]:
    """Spans of the pieces in LINES, one after the other."""
    found, at = [], 0
    for piece in pieces:
        at = LINES.index(piece, at)
        found.append((at, at + len(piece)))
    return found


def ann(*pieces: str) -> str:
    places = ";".join(f"{a} {b}" for a, b in place(*pieces))
    return f"T1\tSign {places}\t{' '.join(pieces)}\n"


@pytest.mark.parametrize(
    ("pieces", "tokens"),
    [
        (("liver", "failure"), ["liver", "failure"]),  # over the end of a line
        (("right", "knee"), ["right", "knee"]),  # over a blank line
        (("and", "right"), ["and", "right"]),  # over two spaces
        (("severe", "liver", "failure"), ["severe", "liver", "failure"]),
        (("liver", "failure", "May"), None),  # two pieces are left
        (("Left", "knee pain"), None),
    ],
)
def test_pieces_with_only_white_space_between_them_are_one(
    tmp_path: Path, pieces: tuple, tokens: list | None
):
    folder = tmp_path / "d"
    folder.mkdir()
    (folder / "a.txt").write_bytes(LINES.encode())
    (folder / "a.ann").write_text(ann(*pieces))
    table = brat(folder)
    tagged = [
        token
        for record in table.records
        for token, tag in zip(record.values["tokens"], record.values["tags"], strict=True)
        if tag != "O"
    ]
    assert tagged == (tokens or [])
    mentions = [m for record in table.records for m in record.extra["mentions"]]
    whole = place(*pieces)
    between = [LINES[a:b] for (_, a), (b, _) in itertools.pairwise(whole)]
    assert len(mentions) == 1
    assert len(mentions[0][1:]) == 2 * (1 + sum(bool(text.strip()) for text in between))
    assert (mentions[0][1], mentions[0][-1]) == (whole[0][0], whole[-1][1])


def test_joined_mentions_are_counted(tmp_path: Path):
    folder = standoff(tmp_path / "d", ann="T1\tSign 9 12;13 18\tand cough\n")
    card, reading = read("tagging", folder)
    assert any("10 mentions have pieces with only white space between them" in note for note in card.notes)
    assert sum(row["tags"].count("B-Sign") for row in every(reading)) == 10


def test_a_byte_order_mark_may_count_as_a_character(tmp_path: Path):
    for shift in (0, 1):
        folder = tmp_path / str(shift)
        folder.mkdir()
        (folder / "a.txt").write_bytes(b"\xef\xbb\xbfOld pain and more")
        (folder / "a.ann").write_text(f"T1\tSign {4 + shift} {8 + shift}\tpain\n")
        (record,) = brat(folder).records
        assert record.values["tags"] == ["O", "B-Sign", "O", "O"]
        assert record.extra["mentions"] == [["Sign", 4, 8]]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"columns": Columns(label="2")}, "--label: .* is stand-off, which has no columns"),
        ({"tagging": TaggingOptions(scheme="io")}, "--scheme: .* is stand-off"),
        ({"metric": "token_accuracy"}, "stand-off has mentions, no label for each token"),
    ],
)
def test_options_of_columns_are_not_for_stand_off(tmp_path: Path, more: dict, message: str):
    with pytest.raises(InputError, match=message):
        read("tagging", standoff(tmp_path / "d"), **more)


@pytest.mark.slow
def test_maccrobat_has_all_its_mentions(raw: Path):
    folder = raw / "maccrobat2020"
    wanted: set[tuple] = set()
    split = 0
    for path in folder.glob("*.ann"):
        text = (folder / f"{path.stem}.txt").read_bytes().decode("utf-8")
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("T"):
                kind, _, places = line.split("\t")[1].partition(" ")
                pieces = sorted(tuple(map(int, piece.split())) for piece in places.split(";"))
                start, end = pieces[0][0], pieces[-1][1]
                # three mentions have white space at an end
                end = start + len(text[start:end].rstrip())
                start += len(text[start:end]) - len(text[start:end].lstrip())
                wanted.add((path.stem, kind, start, end))
                gaps = [text[a:b] for (_, a), (b, _) in itertools.pairwise(pieces)]
                split += any(not gap.strip() for gap in gaps)
    table = brat(folder)
    found = {(r.values["doc"], m[0], m[1], m[-1]) for r in table.records for m in r.extra["mentions"]}
    assert found == wanted
    assert table.counts["joined"] == split


TEXT = st.text(st.sampled_from("aAé b.\n\t\u00a0\u2028-1ﬁ😀"), min_size=5, max_size=60).filter(str.strip)


def check_round_trip(data: st.DataObject) -> None:
    text = data.draw(TEXT)
    ends = sorted(set(data.draw(st.lists(st.integers(0, len(text)), max_size=6))))
    pieces = [(a, b) for a, b in itertools.pairwise(ends) if text[a:b].strip()]
    lines = [f"T{i}\tX {a} {b}\t{' '.join(text[a:b].split())}\n" for i, (a, b) in enumerate(pieces)]
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "d.txt").write_text(text, encoding="utf-8", newline="")
        (Path(name) / "d.ann").write_text("".join(lines), encoding="utf-8", newline="")
        try:
            table = brat(Path(name))
        except InputError:
            return
    found = sorted(tuple(m) for record in table.records for m in record.extra["mentions"])
    # a mention is what is left of it without white space at its ends
    wanted = set()
    for a, b in pieces:
        inner = text[a:b].strip()
        start = text.index(inner, a)
        wanted.add(("X", start, start + len(inner)))
    assert found == sorted(wanted)
    for record in table.records:
        for token, start in zip(record.values["tokens"], record.extra["starts"], strict=True):
            assert text[start : start + len(token)] == token


CHECKS = list(HealthCheck)


@settings(max_examples=60, deadline=None, suppress_health_check=CHECKS)
@given(st.data())
def test_what_is_written_is_read_back(data):
    check_round_trip(data)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=CHECKS)
@given(st.data())
def test_what_is_written_is_read_back_300_times(data):
    check_round_trip(data)
