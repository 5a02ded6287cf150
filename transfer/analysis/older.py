"""Results of earlier versions, read by the rules of this one."""

import json
from collections.abc import Mapping

from transfer.corpora.base import Card
from transfer.metrics import why_undefined
from transfer.records import Damaged, JobResult
from transfer.store import Store


def known_undefined(result: JobResult, store: Store, cards: Mapping[str, Card]) -> JobResult:
    """A result whose test scores are undefined where their predictions say so.

    Earlier versions wrote 0 for such a score, and any value for that of a single item.
    """
    doubtful = [s for s in result.scores if s.split == "test" and (s.value == 0 or s.items == 1)]
    if not doubtful:
        return result
    reasons = {}
    try:
        kept = store.predictions(result.id, digest=result.predictions)
    except (FileNotFoundError, ValueError, Damaged):
        return result  # whoever needs the predictions says what is wrong with them
    if "gold" not in kept:  # a ledger without labels, which has no result of a version as old
        return result
    for score in doubtful:
        rows = kept[kept["corpus"] == score.corpus]
        gold, predicted = ([json.loads(text) for text in rows[name]] for name in ("gold", "predicted"))
        if len(rows):
            negative = cards[score.corpus].negative
            reasons[score.corpus] = why_undefined(score.metric, gold, predicted, negative=negative)
    scores = tuple(
        score.model_copy(update={"value": None, "undefined": reasons[score.corpus]})
        if score.split == "test" and reasons.get(score.corpus)
        else score
        for score in result.scores
    )
    return result.model_copy(update={"scores": scores})
