"""Baselines: test scores of trivial predictors, such as the majority class of train."""

from pydantic import BaseModel, ConfigDict

from transfer.corpora.base import Corpus
from transfer.kinds import kind_of
from transfer.metrics import measure_of, why_undefined


class Baseline(BaseModel):
    """Trivial predictor fitted on train, with its test score; an undefined score is None and has a reason."""

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
    """The test score of the trivial predictor of the corpus's kind; None for a kind without one."""
    card, gold = corpus.card, [example.gold for example in corpus.test]
    fit = kind_of(card.kind).baseline(card, [example.gold for example in corpus.train], gold)
    if fit is None:
        return None
    predictor, predicted = fit
    if undefined := why_undefined(card.metric, gold, predicted, negative=card.negative):
        return Baseline(predictor=predictor, value=None, undefined=undefined)
    score = measure_of(card.metric, negative=card.negative)(gold, predicted)
    return Baseline(predictor=predictor, value=score)
