"""Reading an external trainer's answers: ``predictions/<corpus>.jsonl``, ``history.csv`` and ``dev.json``."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transfer.corpora.base import Card, Example
from transfer.inputs import InputError, did_you_mean
from transfer.kinds import kind_of
from transfer.records import Epoch

SHOWN = 60


def predictions_of(out: Path, card: Card, examples: Sequence[Example]) -> list[Any]:
    """One prediction for each example, in their order.

    A line is ``{"id": …, "predicted": …}``, and lines may come in any order. Raises InputError with file and
    line for a missing file, a missing, repeated or unknown id, an unknown label, or a value of another type.
    """
    path = out / "predictions" / f"{card.name}.jsonl"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: is missing; a trainer writes one for each corpus of its job") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 ({error})") from None
    kind = kind_of(card.kind)
    by_id = {example.id: example for example in examples}
    found: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path} line {number}"
        id_, value = _answer(where, line)
        if id_ not in by_id:
            raise InputError(f"{where}: there is no test item '{id_}'{did_you_mean(id_, by_id)}")
        if id_ in found:
            raise InputError(f"{where}: the id '{id_}' was answered in line {lines[id_]} already")
        found[id_] = _padded(
            kind.answer_of(card, where, value, by_id[id_].text), by_id[id_], tokenized=kind.tokenized
        )
        lines[id_] = number
    if missing := [id_ for id_ in by_id if id_ not in found]:
        raise InputError(
            f"{path}: {len(missing)} of {len(examples)} test items have no prediction, "
            f"the first is '{missing[0]}'"
        )
    return [found[example.id] for example in examples]


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
    if not isinstance(found, dict) or not all(_number(value) for value in found.values()):
        raise InputError(f"{path}: should be an object of numbers, the dev score of each corpus")
    for name in found:
        if name not in names:
            raise InputError(f"{path}: there is no corpus '{name}' in the job{did_you_mean(name, names)}")
    return {name: float(value) for name, value in found.items()}


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
            for number, row in enumerate(rows, start=2):
                if row["corpus"] not in names:
                    raise ValueError(f"line {number}: there is no corpus '{row['corpus']}' in the job")
                loss, dev = epochs.setdefault(int(row["epoch"]), ({}, {}))
                loss[row["corpus"]] = float(row["loss"])
                dev[row["corpus"]] = float(row["dev"]) if row["dev"] else None
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise InputError(f"{path}: {error}") from None
    return tuple(
        Epoch(epoch=number, loss=loss, dev=dev, seconds=0.0) for number, (loss, dev) in sorted(epochs.items())
    )


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
