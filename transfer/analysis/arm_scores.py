"""From kept predictions to arms: what was predicted for each test item, as shares in the score.

A large grid keeps tens of millions of predictions, and most of them stand there again and again: the gold
values in every job, the predictions in many. So a pair of a gold value and a prediction is parsed and
measured once, and the rest is indices.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from transfer.analysis.estimate import shares
from transfer.analysis.evidence import ArmScore
from transfer.metrics import Measure

# a stored score and the one recomputed from its predictions differ by rounding alone
SAME = 1e-9
MOST_KNOWN = 50_000  # pairs of one corpus that are remembered at a time


class ArmScores:
    """Makes the arms of one corpus; remembers its test items, and what it has measured."""

    def __init__(self, target: str, measure: Measure) -> None:
        self._target = target
        self._measure = measure
        self._items: _Items | None = None
        self._known: dict[tuple[int, str], int] = {}
        self._parts = np.empty((0, 0))

    def arm(self, predictions: pa.Table, *, score: float) -> ArmScore:
        """The corpus's arm in a job's kept predictions (see ``Store.prediction_table``).

        Items that name a document are added up by it; the others are documents of their own. Raises
        ValueError where there are no predictions, or they do not give the job's ``score`` (NaN: undefined).
        The table may hold shares instead (see ``shared``).
        """
        if "share" in predictions.column_names:
            return _arm_of_shares(self._target, predictions, score)
        rows = _rows_of(self._target, predictions)
        if self._items is None or not self._items.are_those_of(rows):
            self._items = _Items(rows)
            self._forget()
        parts = self._measured(self._items, rows["predicted"].combine_chunks())
        recomputed = float(self._measure.value(parts.sum(axis=0)))
        if not abs(recomputed - score) <= SAME and not (np.isnan(recomputed) and np.isnan(score)):
            raise ValueError(
                f"{self._target}: the kept predictions give {recomputed:.6f}, the kept score is {score:.6f}; "
                "one of the two was changed"
            )
        constant = self._constant(rows["predicted"], parts)
        parts = self._items.by_document(parts)
        score = float(self._measure.value(parts.sum(axis=0)))
        return ArmScore(self._items.documents, score, shares(parts, self._measure), constant)

    def _constant(self, predicted: pa.ChunkedArray, parts: np.ndarray) -> str:
        """The single prediction that all items share; empty if predictions differ."""
        if self._measure.finds and not self._measure.found(parts.sum(axis=0)):
            return f"it finds no {self._measure.finds} in any test item"
        said = predicted.unique()
        if len(said) > 1 or len(parts) == 1:
            return ""
        value = json.loads(said[0].as_py())
        shown = (", ".join(value) or "no label") if isinstance(value, list) else value
        return f"it predicts {shown} for every test item"

    def _measured(self, items: "_Items", predicted: pa.DictionaryArray) -> np.ndarray:
        """The parts of the score, [items, k]."""
        said, texts = predicted.indices.to_numpy(), predicted.dictionary
        if not self._measure.itemwise:
            values = _parsed(texts.take(pa.array(said)).to_pylist())
            return self._measure.parts([items.gold[i] for i in items.gold_of], values)
        which, pairs = pd.factorize(items.gold_of * len(texts) + said)
        gold, predictions = pairs // len(texts), texts.take(pa.array(pairs % len(texts)))
        keys = list(zip(gold.tolist(), predictions.to_pylist(), strict=True))
        new = [key for key in keys if key not in self._known]
        if len(self._known) + len(new) > MOST_KNOWN:
            self._forget()
            new = keys
        if new:
            parts = self._measure.parts([items.gold[i] for i, _ in new], _parsed([text for _, text in new]))
            self._known |= {key: len(self._parts) + i for i, key in enumerate(new)}
            self._parts = np.concatenate([self._parts, parts]) if len(self._parts) else parts
        return self._parts[np.array([self._known[key] for key in keys])][which]

    def _forget(self) -> None:
        self._known.clear()
        self._parts = np.empty((0, 0))


def shared(arms: Mapping[str, ArmScore]) -> pa.Table:
    """A job's arms by target as a table without gold values, predictions and names of documents.

    Columns corpus, document (its place in the sorted names), share, and constant (whether one prediction
    stands for all items).
    """
    parts = [
        pa.table(
            {
                "corpus": pa.array([name] * len(arm.shares)).dictionary_encode(),
                "document": pa.array(range(len(arm.shares)), pa.int32()),
                "share": pa.array(arm.shares, pa.float64(), from_pandas=False),
                "constant": pa.array([bool(arm.constant)] * len(arm.shares)),
            }
        )
        for name, arm in arms.items()
    ]
    return pa.concat_tables(parts).unify_dictionaries()


def _arm_of_shares(target: str, table: pa.Table, score: float) -> ArmScore:
    rows = table.filter(pc.field("corpus").cast(pa.string()) == target)
    if not len(rows):
        raise ValueError(f"{target}: there are no shares of it")
    documents = tuple(f"document {number}" for number in rows["document"].to_pylist())
    constant = "it predicts the same for every test item" if rows["constant"][0].as_py() else ""
    return ArmScore(documents, score, rows["share"].to_numpy(), constant)


class _Items:
    """The test items of a corpus: their gold values, each parsed once, and the documents they are of."""

    def __init__(self, rows: pa.Table) -> None:
        self._keys = rows.select(["id", "doc", "gold"])
        gold = rows["gold"].combine_chunks().dictionary_encode()
        self.gold = _parsed(gold.dictionary.to_pylist())
        self.gold_of = gold.indices.to_numpy().astype(np.int64)
        ids, docs = (rows[name].to_pylist() for name in ("id", "doc"))
        documents = np.array([doc or id_ for doc, id_ in zip(docs, ids, strict=True)], dtype=object)
        names, self._document_of = np.unique(documents, return_inverse=True)
        self.documents = tuple(names)

    def are_those_of(self, rows: pa.Table) -> bool:
        return self._keys.equals(rows.select(["id", "doc", "gold"]))

    def by_document(self, parts: np.ndarray) -> np.ndarray:
        """[items, k] added up by document: [documents, k]."""
        count = len(self.documents)
        columns = [np.bincount(self._document_of, weights=column, minlength=count) for column in parts.T]
        return np.stack(columns, axis=-1)


def _rows_of(target: str, predictions: pa.Table) -> pa.Table:
    """The rows of one corpus; without a copy where they stand together, as they are written."""
    corpus = predictions["corpus"].combine_chunks()
    code = pc.index(corpus.dictionary, target).as_py()
    places = np.flatnonzero(corpus.indices.to_numpy() == code)
    if not len(places):
        raise ValueError(f"{target}: there are no predictions of it")
    together = places[-1] - places[0] + 1 == len(places)
    rows = predictions.slice(places[0], len(places)) if together else predictions.take(places)
    if any(rows[name].null_count for name in ("id", "gold", "predicted")):
        raise ValueError(f"{target}: an item without id, gold value or prediction")
    return rows


def _parsed(texts: Sequence[str]) -> list[Any]:
    """JSON texts as values, in one go: many times faster than one by one. Raises ValueError."""
    values = json.loads(f"[{','.join(texts)}]")
    if len(values) != len(texts):
        raise ValueError("a prediction is not one JSON value")
    return values
