"""Files in a user's sources, and detection of the format of each."""

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

from transfer.corpora.base import SPLITS, Split
from transfer.corpora.own.splits import split_in_name, split_named
from transfer.corpora.own.tables import bytes_of, check_regular, decoded
from transfer.inputs import InputError, did_you_mean, nearby


class Format(StrEnum):
    """Format of a file or folder."""

    JSON = "JSON"
    TABLE = "a table"
    COLUMNS = "CoNLL columns"
    PARQUET = "Parquet"
    ARROW = "Arrow"
    SAVED = "a saved dataset"
    STANDOFF = "stand-off"


TABLES = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
COLUMNS = (".conll", ".conllu", ".conllup", ".iob", ".iob2", ".bio", ".bioes", ".txt")
DATA = (*TABLES, ".jsonl", ".ndjson", ".json", ".parquet", ".arrow", ".feather", *COLUMNS)
# what lies beside the data in a saved dataset or a snapshot of the hub
_BESIDE = re.compile(
    r"\..*|(readme|licen[cs]e|citation)\b.*|(dataset_infos?|dataset_dict|state|config|metadata)\.json", re.I
)
EXPECTED = (
    "train, dev and test as folders or files (train.csv, dev-00000-of-00002.parquet, …), one data file, "
    "brat's .txt and .ann, or a saved dataset (.arrow)"
)


def suffix_of(path: Path) -> str:
    """Suffix that tells a file's format, in lower case; .gz is skipped."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] == ".gz":
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def stem_of(path: Path) -> str:
    """Name of a file without the suffixes that tell its format, or of a folder."""
    return Path(path.stem).stem if path.suffix.lower() == ".gz" else path.stem


def format_of(path: Path, encoding: str | None = None) -> Format:
    """Detect the format of a file or folder from its content, or else from its suffix.

    Raises InputError for a suffix that is unknown where the content shows no format either.
    """
    if path.is_dir():
        return Format.STANDOFF if any(path.glob("*.ann")) else Format.SAVED
    data = bytes_of(path)
    if data.startswith(b"PAR1"):
        return Format.PARQUET
    if data.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        return Format.ARROW
    suffix = suffix_of(path)
    if suffix == ".parquet":
        return Format.PARQUET
    if suffix in (".arrow", ".feather"):
        return Format.ARROW
    if suffix in (".jsonl", ".ndjson", ".json"):
        return Format.JSON
    start = decoded(path, encoding)[0][:10_000].lstrip()
    # an object with a key, alone on its line, or an array of such; a token may well be a brace
    if re.match(r'\[\s*\{\s*"|\{\s*"(?:[^"\\\n]|\\.)*"\s*:', start):
        return Format.JSON
    if suffix in TABLES:
        return Format.TABLE
    if suffix in COLUMNS:
        return Format.COLUMNS
    if re.match(r"[^\n]*[,;|\t]", start):
        return Format.TABLE
    raise InputError(f"{path}: unknown kind of file '{suffix}'{did_you_mean(suffix, DATA)}")


# a file or folder that one reader reads, and the split that it is known to be
Leaf = tuple[Path, Split | None]


def leaves_of(sources: Sequence[Leaf]) -> tuple[list[Leaf], list[str]]:
    """List the files and folders to read, each with its split if known, and notes on what is left out.

    A folder is a leaf where it holds stand-off or a saved dataset; any other is taken apart by the folders
    and files in it that a split's name. Raises InputError where it holds nothing that can be read.
    """
    leaves: list[Leaf] = []
    notes: list[str] = []
    for path, split in sources:
        check_regular(path)
        if not path.exists():
            raise InputError(f"{path}: no such file{nearby(path)}")
        if not path.is_dir():
            leaves.append((path, split))
        elif split:
            leaves += _with_split(_of_one_split(path), split)
        else:
            leaves += _taken_apart(path, notes)
    if len({split is None for _, split in leaves}) > 1:
        raise InputError("some sources are folders for each split and others are not; give them one by one")
    return leaves, notes


def _is_leaf(folder: Path) -> bool:
    return any(folder.glob("*.ann")) or any(folder.glob("*.arrow"))


def _data_in(folder: Path) -> list[Path]:
    files = sorted(path for path in folder.iterdir() if path.is_file() and not _BESIDE.fullmatch(path.name))
    return [path for path in files if suffix_of(path) in DATA]


def _with_split(paths: Sequence[Path], split: Split) -> list[Leaf]:
    return [(path, split) for path in paths]


def _taken_apart(folder: Path, notes: list[str]) -> list[Leaf]:
    if _is_leaf(folder):
        return [(folder, None)]
    below = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    parts: list[tuple[Path, Split]] = [(each, named) for each in below if (named := split_named(each.name))]
    files = _data_in(folder)
    named_files = [(path, named) for path in files if (named := split_in_name(path))]
    if parts and named_files:
        raise InputError(
            f"{folder}: holds splits as folders ({parts[0][0].name}) and as files "
            f"({named_files[0][0].name}); say which with --train, --dev and --test"
        )
    if parts:
        notes += [
            f"the folder {each.name} names no split and is left out"
            for each in below
            if not split_named(each.name)
        ]
        return [leaf for each, split in parts for leaf in _with_split(_of_one_split(each), split)]
    if named_files:
        left = [path.name for path in files if not split_in_name(path)]
        notes += [f"the file {name} names no split and is left out" for name in left]
        found: list[Leaf] = []
        for split in SPLITS:
            some = [path for path, named in named_files if named == split]
            _check_shards(folder, some, f"of {split}")
            found += _with_split(some, split)
        return found
    if len(files) == 1:
        return [(files[0], None)]
    # a snapshot of the hub keeps its data one folder down
    deeper = [each for each in below if each.name == "data" or len(below) == 1]
    if not files and deeper:
        return _taken_apart(deeper[0], notes)
    raise _unreadable(folder)


def _of_one_split(folder: Path) -> list[Path]:
    """Files in the folder of one split: the folder itself, its one data file, or the shards of one."""
    if _is_leaf(folder):
        return [folder]
    files = _data_in(folder)
    if not files:
        raise _unreadable(folder)
    _check_shards(folder, files, "of the split")
    return files


def _unreadable(folder: Path) -> InputError:
    there = sorted(path.name + ("/" if path.is_dir() else "") for path in folder.iterdir())
    shown = ", ".join(there[:8]) + (f" and {len(there) - 8} more" if len(there) > 8 else "")
    return InputError(f"{folder}: expected {EXPECTED}; found {shown or 'nothing'}")


_SHARD = re.compile(r"(.*?)[-_.]?(\d+)(?:-of-(\d+))?(?:-[0-9a-f]{8,})?", re.DOTALL)


def _check_shards(folder: Path, files: Sequence[Path], what: str) -> None:
    """Raise InputError if several files are not the complete numbered shards of one."""
    matches = [_SHARD.fullmatch(stem_of(path)) for path in files]
    shards = [match for match in matches if match]
    of = {(match[1], match[3], suffix_of(path)) for match, path in zip(matches, files, strict=True) if match}
    if len(files) > 1 and (len(shards) < len(files) or len(of) > 1):
        raise InputError(
            f"{folder}: the files {files[0].name} and {files[1].name} are both {what}, and are not the "
            "numbered shards of one; say which to read with --train, --dev and --test"
        )
    if shards and shards[0][3]:
        count = int(shards[0][3])
        missing = sorted(set(range(count)) - {int(match[2]) for match in shards})
        if missing:
            raise InputError(f"{folder}: shard {missing[0]:05d} of {count} {what} is missing")
