"""Separators and quotation marks as people's programs write them: no row swallowed, none invented."""

import csv
from pathlib import Path

import pytest

from tests.corpora.own.files import csv_text, items, read, write
from transfer.corpora.own.tables import Dialect
from transfer.inputs import InputError

ROWS = [(f'Note {i}: fièvre, "gout"; 5\' wide', ["yes", "no"][i % 2]) for i in range(20)]
HEAD = ("text", "label")


def tsv(path: Path, rows: list[tuple], head: tuple = HEAD) -> Path:
    """A file with tabs as most programs write it: without any quoting."""
    return write(path, "".join("\t".join(row) + "\n" for row in [head, *rows]))


def doubts(reading) -> str:
    return " ".join(reading.doubts)


# quotation marks in a file with tabs


def test_marks_that_open_and_close_across_rows_swallow_none(tmp_path: Path):
    forms = ['"Fever at night {}', "clear {}", "clear {}", 'said the nurse {}"']
    rows = [(forms[i % 4].format(i), "ab"[i % 2]) for i in range(60)]
    _, reading = read("classification", tsv(tmp_path / "d.tsv", rows))
    assert items(reading, "text", "label") == rows
    assert "--quoting double" in doubts(reading)
    assert "d.tsv line 2:" in doubts(reading)


@pytest.mark.parametrize(
    "cells",
    [
        ('"I felt well on day 1', 'He felt well"'),  # from one cell to the next
        ('"I felt well', "He felt well"),  # opened and never closed
        ('I felt "well', "He felt well"),
        ('"Well" he said', "He felt well"),
        ('5" nail', '6" nail'),
        ("'tis well", "it's 'well'"),
        ('"', '"'),
        ("“curly”", "„low“"),
    ],
)
def test_marks_in_a_tsv_are_characters(tmp_path: Path, cells: tuple[str, str]):
    rows = [(f"Day {i}", f"Night {i}", str(i % 2)) for i in range(12)]
    rows[5] = (*cells, "1")
    path = tsv(tmp_path / "d.tsv", rows, ("text_a", "text_b", "label"))
    _, reading = read("classification", path)
    assert items(reading, "text_a", "text_b", "label") == rows


def test_a_tsv_that_is_quoted_throughout_is_read_so(tmp_path: Path):
    rows = [(f'say "{i}"\there\nand there', label) for i, (_, label) in enumerate(ROWS)]
    for name, quoting in {"all": csv.QUOTE_ALL, "minimal": csv.QUOTE_MINIMAL}.items():
        text = csv_text([HEAD, *rows], delimiter="\t", quoting=quoting)
        _, reading = read("classification", write(tmp_path / f"{name}.tsv", text))
        assert items(reading, "text", "label") == rows
        assert not reading.doubts


def test_a_tsv_whose_texts_are_quoted_by_need_is_read_so_and_says_it(tmp_path: Path):
    rows = [(f'"note" {i}' if i % 3 else f"note {i}", "ab"[i % 2]) for i in range(20)]
    text = csv_text([HEAD, *rows], delimiter="\t")
    _, reading = read("classification", write(tmp_path / "d.tsv", text))
    assert items(reading, "text", "label") == rows
    assert "--quoting none keeps them" in doubts(reading)


def test_some_cells_in_marks_keep_them_and_it_is_said(tmp_path: Path):
    rows = [(f'"I feel fine {i}"' if i % 3 == 0 else f"I feel ill {i}", "ab"[i % 2]) for i in range(20)]
    path = tsv(tmp_path / "d.tsv", rows)
    _, reading = read("classification", path)
    assert items(reading, "text", "label") == rows
    assert "d.tsv line 2: some cells stand in double quotes" in doubts(reading)
    _, bare = read("classification", path, dialect=Dialect(quoting="double"))
    assert items(bare, "text", "label") == [(text.strip('"'), label) for text, label in rows]


def test_one_cell_that_may_be_rows_is_an_error_with_its_line_and_the_options(tmp_path: Path):
    rows = [(f"note {i}", "ab"[i % 2]) for i in range(12)]
    rows[3], rows[6] = ('"Fever', "a"), ('said the nurse"', "b")
    path = tsv(tmp_path / "d.tsv", rows)
    with pytest.raises(
        InputError, match=r"d\.tsv line 5: .* closes on line 8.*--quoting none.*--quoting double"
    ):
        read("classification", path)
    assert len(items(read("classification", path, dialect=Dialect(quoting="none"))[1], "text")) == 12
    assert len(items(read("classification", path, dialect=Dialect(quoting="double"))[1], "text")) == 9


def test_the_same_in_a_csv_is_an_error_too(tmp_path: Path):
    rows = [(f"note {i}", "ab"[i % 2]) for i in range(20)]
    for i in (3, 9):
        rows[i], rows[i + 2] = ('"Fever', "a"), ('said the nurse"', "b")
    path = write(tmp_path / "d.csv", "".join(",".join(row) + "\n" for row in [HEAD, *rows]))
    with pytest.raises(InputError, match=r"d\.csv line 5: .*--quoting none"):
        read("classification", path)
    assert len(items(read("classification", path, dialect=Dialect(quoting="none"))[1], "text")) == 20


def test_texts_of_several_lines_in_a_csv_are_one_cell_each(tmp_path: Path):
    for rows in (
        [(f"On {i}, fine\nseen, too", "ab"[i % 2]) for i in range(12)],
        [(f'a "{i}", b\nc, d' if i % 2 else f"e {i}", "ab"[i % 2]) for i in range(12)],
        [(f"a\nb {i}" if i % 2 else f"e {i}", "ab"[i % 2]) for i in range(12)],
    ):
        _, reading = read("classification", write(tmp_path / "d.csv", csv_text([HEAD, *rows])))
        assert items(reading, "text", "label") == rows


def test_texts_whose_lines_all_look_like_rows_are_read_where_the_header_is_quoted_too(tmp_path: Path):
    rows = [(f"On {i}, fine\nseen too", "ab"[i % 2]) for i in range(12)]
    path = write(tmp_path / "d.csv", csv_text([HEAD, *rows]))
    with pytest.raises(InputError, match=r"d\.csv line 2: .*--quoting double keeps it all in one cell"):
        read("classification", path)
    _, reading = read("classification", path, dialect=Dialect(quoting="double"))
    assert items(reading, "text", "label") == rows
    path = write(tmp_path / "e.csv", csv_text([HEAD, *rows], quoting=csv.QUOTE_ALL))
    assert items(read("classification", path)[1], "text", "label") == rows


def test_marks_after_backslashes_are_read_where_that_is_said(tmp_path: Path):
    rows = [(f'He said "stop", {i} \\ fine', label) for i, (_, label) in enumerate(ROWS)]
    text = csv_text([HEAD, *rows], doublequote=False, escapechar="\\")
    path = write(tmp_path / "d.csv", text)
    with pytest.raises(InputError, match=r"line 2: the quoting .* --quoting backslash"):
        read("classification", path)
    _, reading = read("classification", path, dialect=Dialect(quoting="backslash"))
    assert items(reading, "text", "label") == rows


# separators


@pytest.mark.parametrize("delimiter", [";", "|", "\t", ","])
@pytest.mark.parametrize("name", ["d.csv", "d.tsv", "d.txt"])
def test_the_separator_is_found_whatever_the_suffix(tmp_path: Path, name: str, delimiter: str):
    text = csv_text([HEAD, *ROWS], delimiter=delimiter)
    _, reading = read("classification", write(tmp_path / name, text))
    assert items(reading, "text", "label") == ROWS
    names = {";": "semicolon", "|": "pipe", "\t": "tab", ",": "comma"}
    assert f"separator {names[delimiter]}" in reading.tables[0].format


def test_the_line_by_which_excel_names_the_separator_is_no_header(tmp_path: Path):
    text = "sep=;\r\n" + csv_text([HEAD, *ROWS], delimiter=";")
    _, reading = read("classification", write(tmp_path / "d.csv", text))
    assert items(reading, "text", "label") == ROWS
    broken = write(tmp_path / "e.csv", text + "a;b;c\r\n")
    with pytest.raises(InputError, match=r"e\.csv line 23: 3 cells"):
        read("classification", broken)


def test_a_ragged_row_of_another_separator_is_named_with_the_option(tmp_path: Path):
    text = csv_text([HEAD, *ROWS], delimiter=";") + "a;b;c\n"
    with pytest.raises(InputError, match=r"line 22: 3 cells, .* semicolon.*--delimiter"):
        read("classification", write(tmp_path / "d.csv", text))


def test_columns_that_two_separators_fit_are_an_error_that_names_the_option(tmp_path: Path):
    text = "".join(f"{a};b|c\n" for a in ("text", *"abcdefghijkl"))
    with pytest.raises(InputError, match=r"separated by semicolon or pipe; say which with --delimiter"):
        read("classification", write(tmp_path / "d.csv", text))


def test_another_separator_is_named_with_the_option(tmp_path: Path):
    rows = [(f"note {i}", "ab"[i % 2]) for i in range(12)]
    path = write(tmp_path / "d.csv", csv_text([HEAD, *rows], delimiter="~"))
    with pytest.raises(InputError, match=r"no column 'text'.*--delimiter"):
        read("classification", path)
    _, reading = read("classification", path, dialect=Dialect(delimiter="~"))
    assert items(reading, "text", "label") == rows


# spaces, rows and line ends


@pytest.mark.parametrize("form", ['{}, "{}"', '"{}" ,{}', ' "{}" , "{}" ', '"{}",  "{}"'])
def test_spaces_around_quoted_cells_are_dropped(tmp_path: Path, form: str):
    rows = [("ab"[i % 2], f"Note {i} here") for i in range(20)]
    text = "label, text\n" + "".join(form.format(*row) + "\n" for row in rows)
    _, reading = read("classification", write(tmp_path / "d.csv", text))
    assert items(reading, "label", "text") == rows


def test_a_space_before_words_in_marks_stays(tmp_path: Path):
    rows = [("ab"[i % 2], f' "Yes" she said {i}') for i in range(20)]
    text = "label,text\n" + "".join(",".join(row) + "\n" for row in rows)
    _, reading = read("classification", write(tmp_path / "d.csv", text))
    assert items(reading, "label", "text") == rows


def test_rows_of_empty_cells_at_the_end_are_left_out_and_counted(tmp_path: Path):
    path = write(tmp_path / "d.csv", csv_text([HEAD, *ROWS]) + ",\r\n,\r\n\r\n")
    _, reading = read("classification", path)
    assert items(reading, "text", "label") == ROWS
    assert reading.tables[0].skipped == {"empty rows at the end": 2}
    assert "d.csv line 22: the rows from here on" in doubts(reading)
    inside = write(tmp_path / "e.csv", csv_text([HEAD, *ROWS[:9], ("", ""), *ROWS[9:]]))
    with pytest.raises(InputError, match=r"e\.csv line 11: the column 'text' should hold a text"):
        read("classification", inside)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_kind_of_line_end_is_read(tmp_path: Path, end: str):
    text = csv_text([HEAD, *ROWS], lineterminator=end)
    _, reading = read("classification", write(tmp_path / "d.csv", text.removesuffix(end)))
    assert items(reading, "text", "label") == ROWS


def test_a_carriage_return_inside_a_line_is_an_error_with_its_line(tmp_path: Path):
    path = write(tmp_path / "d.csv", csv_text([HEAD, *ROWS], lineterminator="\n") + "a\rb,c\n")
    with pytest.raises(InputError, match=r"d\.csv line 22: a carriage return stands inside the line"):
        read("classification", path)


# encodings


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_with_its_mark_is_found(tmp_path: Path, encoding: str):
    path = write(tmp_path / "d.csv", csv_text([HEAD, *ROWS]), encoding)
    _, reading = read("classification", path)
    assert items(reading, "text", "label") == ROWS
    assert reading.tables[0].format.startswith(encoding.removesuffix("-sig").upper())


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "utf-16-le"])
def test_another_encoding_is_an_error_that_names_the_option(tmp_path: Path, encoding: str):
    path = write(tmp_path / "d.csv", csv_text([HEAD, *ROWS]), encoding)
    with pytest.raises(InputError, match=r"d\.csv line \d: .*--encoding"):
        read("classification", path)
    _, reading = read("classification", path, dialect=Dialect(encoding=encoding))
    assert items(reading, "text", "label") == ROWS


def test_a_file_that_is_no_text_is_named_for_what_it_is(tmp_path: Path):
    for start, what in {b"PK\x03\x04": "spreadsheet", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd"}.items():
        (tmp_path / "d.csv").write_bytes(start + b"1234")
        with pytest.raises(InputError, match=what):
            read("classification", tmp_path / "d.csv")
