"""The score of a predictor that has learned nothing but what train has most of."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from transfer.corpora.base import Corpus
from transfer.metrics import measure_of, why_undefined


class Baseline(BaseModel):
    """A trivial predictor fit on train, and its test score; an undefined score is None and has a reason."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    predictor: str
    """The constant prediction in words."""
    value: float | None
    undefined: str = ""

    @property
    def reference(self) -> float:
        """The score that a run must exceed to have learned something; 0 where the score is undefined.

        A constant has no correlation with anything, and 0 is what predictions at random have on average.
        """
        return self.value or 0.0


def baseline_of(corpus: Corpus) -> Baseline | None:
    """The majority class or label set, the mean score, or no mention, by the kind of the corpus.

    None for a kind that names no trivial predictor in ``_PREDICTORS``.
    """
    card, gold = corpus.card, [example.gold for example in corpus.test]
    fit = _PREDICTORS.get(card.metric if card.kind == "tagging" else card.kind)
    if fit is None:
        return None
    predictor, said = fit([example.gold for example in corpus.train])
    predicted = [(said,) * len(g) if card.kind == "tagging" else said for g in gold]  # type: ignore[arg-type]
    if undefined := why_undefined(card.metric, gold, predicted, negative=card.negative):
        return Baseline(predictor=predictor, value=None, undefined=undefined)
    score = measure_of(card.metric, negative=card.negative)(gold, predicted)
    return Baseline(predictor=predictor, value=score)


def _mean(train: Sequence[Any]) -> tuple[str, Any]:
    mean = sum(train) / len(train)
    return f"always the mean score {mean:.2f}", mean


def _majority(train: Sequence[Any]) -> tuple[str, Any]:
    label = _most_frequent(train)
    return f"always '{label}'", label


def _labels(train: Sequence[Any]) -> tuple[str, Any]:
    labels = _most_frequent([tuple(sorted(labels)) for labels in train])
    return f"always {' and '.join(labels)}" if labels else "never a label", labels


def _no_mention(_: Sequence[Any]) -> tuple[str, Any]:
    return "no mention", "O"


def _majority_tag(train: Sequence[Any]) -> tuple[str, Any]:
    return _majority([tag for tags in train for tag in tags])


def _most_frequent(values: Sequence[Any]) -> Any:
    """The most frequent value; of equally frequent ones the first by name."""
    return min(Counter(values).items(), key=lambda item: (-item[1], item[0]))[0]


_PREDICTORS = {
    "similarity": _mean,
    "classification": _majority,
    "multilabel": _labels,
    "span_f1": _no_mention,
    "token_accuracy": _majority_tag,
}
