"""Reading an external trainer's answers: ``predictions/<corpus>.jsonl``, ``history.csv`` and ``dev.json``."""

import csv
import difflib
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from transfer.corpora.base import Card, Example
from transfer.inputs import InputError, did_you_mean
from transfer.kinds import kind_of
from transfer.kinds.base import number
from transfer.records import Epoch

SHOWN = 60
LONGEST_LINE = 2**24  # bytes


def predictions_of(out: Path, card: Card, examples: Sequence[Example]) -> list[Any]:
    """One prediction for each example, in their order.

    A line is ``{"id": …, "predicted": …}``, and lines may come in any order. Raises InputError with file and
    line for a missing file, a missing, repeated or unknown id, an unknown label, or a value of another type.
    """
    path = out / "predictions" / f"{card.name}.jsonl"
    if not path.is_file():
        elsewhere = [str(p.relative_to(out)) for p in sorted(out.rglob(path.name)) if p != path]
        there = f"; there is {elsewhere[0]}" if elsewhere else ""
        raise InputError(f"{path}: is missing; a trainer writes one for each corpus of its job{there}")
    kind = kind_of(card.kind)
    by_id = {example.id: example for example in examples}
    found: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for place, line in _lines(path):
        where = f"{path} line {place}"
        id_, value = _answer(where, line)
        if id_ not in by_id:
            near = difflib.get_close_matches(id_, by_id, n=1)
            raise InputError(
                f"{where}: there is no test item '{id_}'" + (f"; did you mean '{near[0]}'?" if near else "")
            )
        if id_ in found:
            raise InputError(f"{where}: the id '{id_}' was answered in line {lines[id_]} already")
        found[id_] = _padded(
            kind.answer_of(card, where, value, by_id[id_].text), by_id[id_], tokenized=kind.tokenized
        )
        lines[id_] = place
    if missing := [id_ for id_ in by_id if id_ not in found]:
        raise InputError(
            f"{path}: {len(missing)} of {len(examples)} test items have no prediction, "
            f"the first is '{missing[0]}'"
        )
    return [found[example.id] for example in examples]


def no_more_than(out: Path, names: Sequence[str]) -> None:
    """Raise InputError if there are predictions for something that is no corpus of the job."""
    for path in sorted((out / "predictions").glob("*")):
        name = path.name.removesuffix(".jsonl")
        if path.name == name or name not in names:
            raise InputError(f"{path}: the job has no corpus of this name{did_you_mean(name, names)}")


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that are not blank, with their numbers. Raises InputError for one too long."""
    place = 0
    try:
        with path.open("rb") as file:
            while line := file.readline(LONGEST_LINE + 1):
                place += 1
                if len(line) > LONGEST_LINE:
                    raise InputError(f"{path} line {place}: is longer than {LONGEST_LINE} bytes")
                if text := line.decode("utf-8").strip():
                    yield place, text
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} line {place}: cannot be read as UTF-8 ({error})") from None


def _padded(value: Any, example: Example, *, tokenized: bool) -> Any:
    """The prediction, with an O for each gold mention behind the last token (see Example): it is missed."""
    if tokenized and isinstance(example.gold, tuple):
        return (*value, *["O"] * (len(example.gold) - len(value)))
    return value


def _answer(where: str, line: str) -> tuple[str, Any]:
    try:
        row = json.loads(line, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{where}: is not JSON ({error})") from None
    if not isinstance(row, dict) or set(row) != {"id", "predicted"} or not isinstance(row["id"], str):
        raise InputError(f'{where}: should be {{"id": "…", "predicted": …}}, not {line[:SHOWN]}')
    return row["id"], row["predicted"]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a number that JSON has")


def dev_scores_of(out: Path, names: Sequence[str]) -> dict[str, float]:
    """The trainer's own dev scores by corpus, from ``dev.json``; empty without that file."""
    path = out / "dev.json"
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: is not JSON ({error})") from None
    if not isinstance(found, dict):
        raise InputError(f"{path}: should be an object of numbers, the dev score of each corpus")
    for name in found:
        if name not in names:
            raise InputError(f"{path}: there is no corpus '{name}' in the job{did_you_mean(name, names)}")
    return {name: number(str(path), value, name) for name, value in found.items()}


def history_of(out: Path, names: Sequence[str]) -> tuple[Epoch, ...]:
    """The learning curve from ``history.csv`` (columns epoch, corpus, loss, dev); empty without that file."""
    path = out / "history.csv"
    if not path.exists():
        return ()
    epochs: dict[int, tuple[dict[str, float], dict[str, float | None]]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file)
            if set(rows.fieldnames or ()) != {"epoch", "corpus", "loss", "dev"}:
                raise ValueError("its columns should be epoch, corpus, loss, dev")
            for line, row in enumerate(rows, start=2):
                if row["corpus"] not in names:
                    raise ValueError(f"line {line}: there is no corpus '{row['corpus']}' in the job")
                loss, dev = epochs.setdefault(int(row["epoch"]), ({}, {}))
                loss[row["corpus"]] = _finite(line, row["loss"])
                dev[row["corpus"]] = _finite(line, row["dev"]) if row["dev"] else None
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise InputError(f"{path}: {error}") from None
    return tuple(
        Epoch(epoch=epoch, loss=loss, dev=dev, seconds=0.0) for epoch, (loss, dev) in sorted(epochs.items())
    )


def _finite(line: int, text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"line {line}: {text} is not a finite number")
    return value
