"""Task kinds: how to encode, what is read off the encoder, which loss, how to decode, which score."""

from transfer.corpora.base import Card
from transfer.tasks.base import Item, Task
from transfer.tasks.classification import Classification
from transfer.tasks.multilabel import Multilabel
from transfer.tasks.similarity import Similarity
from transfer.tasks.tagging import Tagging

KINDS: dict[str, type[Task]] = {
    "similarity": Similarity,
    "classification": Classification,
    "tagging": Tagging,
    "multilabel": Multilabel,
}


def task_of(card: Card) -> Task:
    """The task of a corpus, by its card's kind."""
    return KINDS[card.kind](card)


__all__ = ["KINDS", "Item", "Task", "task_of"]
