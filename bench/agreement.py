"""Agreement: corpora prepared here beside an independent preparation of the same releases.

BC5CDR by its gold mentions (their text without white space, counted in each split), ChemProt and DDI
by their (pair, label) sets. Whatever differs is listed or counted by its reason.

    python bench/agreement.py --ours DIR --theirs DIR
"""

import argparse
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from transfer.metrics import spans

SPLITS = ("train", "dev", "test")


def rows(folder: Path, split: str) -> Iterator[dict[str, Any]]:
    """The lines of a split; of ``train_full.jsonl.gz`` where train was thinned out."""
    full = folder / f"{split}_full.jsonl.gz"
    with gzip.open(full, "rt") if full.exists() else (folder / f"{split}.jsonl").open() as file:
        yield from map(json.loads, file)


def mentions(folder: Path, split: str) -> Counter[tuple[str, str]]:
    """Count the mentions of each (type, text without white space)."""
    found: Counter[tuple[str, str]] = Counter()
    for row in rows(folder, split):
        if "mentions" in row:
            ends = [a + len(t) for a, t in zip(row["starts"], row["tokens"], strict=True)]
            for kind, *places in row["mentions"]:
                inside = [
                    token
                    for a, b in zip(places[::2], places[1::2], strict=True)
                    for token, start, end in zip(row["tokens"], row["starts"], ends, strict=True)
                    if start < b and end > a
                ]
                found[kind, "".join(inside)] += 1
        else:
            for kind, start, end in spans(row["tags"]):
                found[kind, "".join(row["tokens"][start:end])] += 1
    return found


def pairs(folder: Path, split: str) -> set[tuple[str, str]]:
    """The (pair, label) set; a pair's second line for a second label has its id with ``.1`` added."""
    return {(_pair(row["id"]), row["label"]) for row in rows(folder, split)}


def _pair(id_: str) -> str:
    head, _, last = id_.rpartition(".")
    return head if last.isdigit() and ".T" in head else id_


def tell_mentions(name: str, ours: Path, theirs: Path) -> None:
    for split in SPLITS:
        a, b = mentions(ours / name, split), mentions(theirs / name, split)
        same = (a & b).total()
        print(f"{name} {split}: {a.total()} mentions here, {b.total()} there, {same} the same")
        for who, only in (("only here", a - b), ("only there", b - a)):
            for (kind, text), times in sorted(only.items()):
                print(f"    {who}: {kind} {text!r} {times} x")


def tell_pairs(
    name: str, ours: Path, theirs: Path, negative: str, splits: tuple[tuple[str, ...], ...]
) -> None:
    for part in splits:
        a = set().union(*(pairs(ours / name, split) for split in part))
        b = set().union(*(pairs(theirs / name, split) for split in part))
        print(f"{name} {'+'.join(part)}: {len(a)} (pair, label) here, {len(b)} there, {len(a & b)} the same")
        known = dict(a)
        reasons: Counter[str] = Counter()
        for pair, label in sorted(b - a):
            if label == negative:
                reasons["negative only there: their sentences are longer"] += 1
            elif pair in known:
                reasons["second label of a pair, of which one is kept here"] += 1
            else:
                reasons["positive only there"] += 1
                print(f"    only there: {pair} {label}")
        for pair, label in sorted(a - b):
            reason = (
                "negative only here: sentences here are longer" if label == negative else "positive only here"
            )
            reasons[reason] += 1
            if label != negative:
                print(f"    only here: {pair} {label}")
        for reason, times in sorted(reasons.items()):
            print(f"    {times:5} {reason}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--ours", required=True, type=Path, help="corpora made by transfer corpora prepare")
    parser.add_argument("--theirs", required=True, type=Path, help="the independent preparation")
    chosen = parser.parse_args()
    for name in ("bc5cdr-disease", "bc5cdr-chemical"):
        tell_mentions(name, chosen.ours, chosen.theirs)
    each = tuple((split,) for split in SPLITS)
    tell_pairs("chemprot", chosen.ours, chosen.theirs, "false", each)
    # train and dev are divided otherwise there; together they hold the same documents
    tell_pairs("ddi2013", chosen.ours, chosen.theirs, "DDI-false", (("train", "dev"), ("test",)))


if __name__ == "__main__":
    main()
