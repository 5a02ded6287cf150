"""Task kinds, the half with torch: encoding, vectors for the head, loss, decoding."""

from transfer.corpora.base import Card
from transfer.tasks.base import Item, Task
from transfer.tasks.classification import Classification
from transfer.tasks.multilabel import Multilabel
from transfer.tasks.similarity import Similarity
from transfer.tasks.tagging import Tagging

TASKS: dict[str, type[Task]] = {
    "similarity": Similarity,
    "classification": Classification,
    "tagging": Tagging,
    "multilabel": Multilabel,
}


def task_of(card: Card) -> Task:
    """The task of a corpus, by its card's kind."""
    return TASKS[card.kind](card)


__all__ = ["TASKS", "Item", "Task", "task_of"]
