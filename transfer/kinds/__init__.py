"""Task kinds, the half without torch: rows, checks, metrics, baselines, users' columns, model-card text."""

from typing import TYPE_CHECKING, Literal

from transfer.kinds.base import Kind
from transfer.kinds.classification import ClassificationKind
from transfer.kinds.multilabel import MultilabelKind
from transfer.kinds.similarity import SimilarityKind
from transfer.kinds.tagging import TaggingKind
from transfer.kinds.values import ValuesKind

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        SimilarityKind(),
        ClassificationKind(),
        TaggingKind(),
        MultilabelKind(),
        ValuesKind(),
    )
}

if TYPE_CHECKING:
    KindName = str
    Metric = str
else:  # pydantic checks a card against the registry
    KindName = Literal[*KINDS]
    Metric = Literal[*dict.fromkeys(metric for kind in KINDS.values() for metric in kind.metrics)]


def kind_of(name: str) -> Kind:
    """The task kind of this name."""
    return KINDS[name]


__all__ = ["KINDS", "Kind", "KindName", "Metric", "kind_of"]
