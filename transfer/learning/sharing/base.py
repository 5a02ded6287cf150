"""Parts of a learner, whatever its way to share."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from transfer.learning import encoder
from transfer.learning.dropout import Noise
from transfer.learning.lazy_embedding import Words
from transfer.learning.mtbert import MTBert
from transfer.learning.weighting import LOSS_WEIGHTING
from transfer.recipes import Recipe
from transfer.tasks import Task

L = TypeVar("L", bound=MTBert)


@dataclass(frozen=True)
class Materials:
    """A job's corpora, numbers and encoder.

    ``pieces`` are the word pieces of all its texts. ``begun``: weights to begin from in place of those of the
    folder, by their names in ``MTBert``; heads that are not among them are fresh. ``lazy``: whether rows of
    the word table that a mini-batch does not read are moved when they are read next (on a CPU).
    """

    folder: Path
    layers: int | None
    tasks: Mapping[str, Task]
    recipe: Recipe
    seed: int
    pieces: Collection[int]
    begun: Mapping[str, Tensor] | None
    lazy: bool

    def of(self, name: str) -> "Materials":
        """The same for one of the corpora alone; its words are still those of all."""
        return replace(self, tasks={name: self.tasks[name]})

    def learner(self, kind: type[L], *, lazy: bool = True, **more: Any) -> L:
        """A learner with its weights, and the words of the job in the place of the encoder's table."""
        noise, weigh = Noise(), self.recipe.weigh
        loaded = encoder.load(self.folder, layers=self.layers, dropout=self.recipe.dropout, noise=noise)
        model = kind(
            loaded,
            {name: self.tasks[name] for name in sorted(self.tasks)},
            noise=noise,
            recipe=self.recipe,
            seed=self.seed,
            weighing=LOSS_WEIGHTING[weigh.method](weigh, self.tasks),
            **more,
        )
        table = model.words.weight.detach()
        if self.begun is not None:
            kept = dict(self.begun)
            words = words_name(model)
            table = kept.pop(words)
            left = model.load_state_dict(kept, strict=False)
            fresh = [key for key in left.missing_keys if not key.startswith(("heads.", "weighing."))]
            assert not left.unexpected_keys, left
            assert fresh == [words], left
        # gradients of all corpora are laid side by side: none may be of a few rows alone
        model.use_words(Words(table, self.pieces, lazy=lazy and self.lazy and not weigh.together))
        return model


def words_name(model: MTBert) -> str:
    """The name of the word-piece table among a model's weights."""
    return next(name for name, p in model.named_parameters() if p is model.words.weight)
