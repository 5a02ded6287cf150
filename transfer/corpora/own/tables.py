"""Records with places, dialects of text files, and decoding; shared by all readers of tables."""

import codecs
import gzip
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from transfer.inputs import InputError

Quoting = Literal["double", "backslash", "none"]


@dataclass(frozen=True)
class Dialect:
    """Dialect of text files as stated by the user; None is detected.

    ``delimiter`` is the character between columns, ``encoding`` the name of a codec. ``quoting`` says what
    a quotation mark inside a quoted cell looks like (``double``: "", ``backslash``: \\"), or that quotation
    marks are ordinary characters (``none``). Without a ``header`` the columns of a table are called 1, 2, ….
    """

    delimiter: str | None = None
    quoting: Quoting | None = None
    encoding: str | None = None
    header: bool = True


@dataclass(frozen=True)
class Record:
    """Item as it is in its file, with the place that messages name.

    ``places`` are those of the single tokens, where each has a line; ``extra`` goes into the row as
    it is.
    """

    where: str
    values: Mapping[str, Any]
    places: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Records of one file or folder.

    ``columns`` are the names that it has; ``head`` is where they stand, empty where each record has
    its own. A format without named columns has ``named`` false. ``counts`` are those of mentions
    (see releases/mentions.py), for stand-off alone. ``format`` says what was detected (encoding,
    separator, quoting). ``doubts`` are the assumptions that were made where the file can be read in
    two ways, each with the option that chooses otherwise; ``--strict`` turns them into errors.
    ``skipped`` counts the rows that give no record, by what they are.
    """

    path: Path
    records: Sequence[Record]
    columns: frozenset[str]
    head: str = ""
    named: bool = True
    counts: Counter[str] = field(default_factory=Counter)
    format: str = ""
    doubts: Sequence[str] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)


# what a file begins with that is no text, and what to do about it
_GZIP = b"\x1f\x8b"
_PACKED = {
    b"PK\x03\x04": "a zip archive or a spreadsheet; unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Office document; save the sheet as CSV",
    b"BZh": "packed with bzip2; unpack it",
    b"\xfd7zXZ": "packed with xz; unpack it",
    b"\x28\xb5\x2f\xfd": "packed with zstd; unpack it",
    b"%PDF": "a PDF document; save its text",
    b"SQLite format 3": "a SQLite database; export the table as CSV",
}
# UTF-32 before UTF-16, whose mark it begins with
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def text_of(path: Path, encoding: str | None = None) -> str:
    """Text of a file without its byte order mark and with its line ends, decoded as in ``decoded``."""
    return decoded(path, encoding)[0]


def decoded(path: Path, encoding: str | None = None) -> tuple[str, str]:
    """Text of a file, and its encoding in words.

    The encoding is UTF-8 (with or without a byte order mark), UTF-16 or UTF-32 with one, or ``encoding``.
    Raises InputError where the file cannot be read, is encoded otherwise, or holds a null character.
    """
    data = bytes_of(path)
    for start, what in _PACKED.items():
        if data.startswith(start):
            raise InputError(f"{path}: is no text but {what}")
    mark = next((name for bom, name in _MARKS if data.startswith(bom)), "")
    codec = encoding or mark or "utf-8"
    try:
        text = data.decode(codec)
    except (UnicodeError, LookupError) as error:
        at = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = data[:at].count(b"\n") + 1
        name = codec.upper() if encoding or mark else "UTF-8"
        seen = f" (byte {data[at]:#04x})" if at < len(data) else ""
        other = "cp1252" if codec != "cp1252" else "latin-1"
        raise InputError(
            f"{path} line {line}: not {name}{seen}; save the file as UTF-8, or name its encoding, "
            f"as in --encoding {other}"
        ) from None
    if codecs.lookup(codec).name not in ("utf-16", "utf-32", "utf-8-sig"):  # these drop the mark themselves
        text = text.removeprefix("\ufeff")
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise InputError(
            f"{path} line {line}: holds a null character; save the file as UTF-8 text, or name its encoding, "
            "as in --encoding utf-16-le"
        )
    told = codec.upper() + (" with a byte order mark" if mark and not encoding else "")
    return text, f"gzip, {told}" if _is_gzip(path) else told


def bytes_of(path: Path) -> bytes:
    """Bytes of a file, unpacked if it is gzip.

    Raises InputError where it cannot be read, is a pipe or a device, or its name is no printable text.
    """
    if not path.name.isprintable():  # the name goes into ids; bytes that are not UTF-8 are no text
        raise InputError(f"{str(path)!a}: the file's name holds characters that cannot be shown; rename it")
    check_regular(path)
    try:
        data = path.read_bytes()
        return gzip.decompress(data) if data.startswith(_GZIP) else data
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: is not whole, its gzip cannot be unpacked ({error})") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None


def check_regular(path: Path) -> None:
    """Raise InputError for a pipe, a device or a socket, which cannot be read twice."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise InputError(
            f"{path}: is a pipe or a device, not a file; save what it gives to a file and name that file"
        )


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == _GZIP
