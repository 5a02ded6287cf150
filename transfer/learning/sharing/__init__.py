"""Learners for the ways to share an encoder, by the name in a recipe."""

from collections.abc import Callable, Mapping

from torch import nn

from transfer.inputs import InputError
from transfer.learning.encoder import layers_of
from transfer.learning.mtbert import MTBert, MultiTask
from transfer.learning.sharing.base import Materials, words_name
from transfer.learning.sharing.distil import Student
from transfer.learning.sharing.frozen import FrozenBelow, FrozenEncoder
from transfer.learning.sharing.lora import Adapted, modules_of
from transfer.learning.sharing.soft import Tied
from transfer.methods import Distil, Lora, Share, Soft, Top, top_refused

__all__ = ["LEARNERS", "Materials", "Student", "check", "learner_of", "words_name"]


def learner_of(materials: Materials) -> MultiTask:
    """The learner of a job."""
    share = materials.recipe.share
    return LEARNERS[share.method](share, materials)


def check(share: Share, encoder: nn.Module, *, corpora: int, memory: float | None) -> None:
    """Raise InputError if a way to share does not fit the encoder, or memory where it is known (bytes).

    ``corpora`` is how many train together at most.
    """
    if isinstance(share, Top) and share.layers >= len(layers := layers_of(encoder)):
        raise InputError(top_refused(share.layers, len(layers)))
    if isinstance(share, Lora):
        modules_of(encoder, share)
    if isinstance(share, Soft) and memory is not None:
        weights = sum(p.numel() for p in encoder.parameters())
        # each with its gradient, the optimizer's two moments, and a copy of the best epoch's
        each = weights * 5 * 4
        if corpora * each > memory:
            fit = int(memory // each)
            raise InputError(
                f"share: soft keeps an encoder for each of {corpora} corpora, with gradients and optimizer "
                f"about {corpora * each / 2**30:.0f} GiB; this machine has {memory / 2**30:.0f}; "
                + (f"groups of up to {fit} fit" if fit > 1 else "no pair fits")
                + ", or share: hard, which keeps one encoder"
            )


def _hard(share: Share, materials: Materials) -> MultiTask:
    return materials.learner(MTBert)


def _heads(share: Share, materials: Materials) -> MultiTask:
    return materials.learner(FrozenEncoder)


def _top(share: Share, materials: Materials) -> MultiTask:
    assert isinstance(share, Top)
    return materials.learner(FrozenBelow, top=share.layers)


def _lora(share: Share, materials: Materials) -> MultiTask:
    assert isinstance(share, Lora)
    return materials.learner(Adapted, lora=share)


def _soft(share: Share, materials: Materials) -> MultiTask:
    assert isinstance(share, Soft)
    # rows that are moved when they are read next would miss what the centre does meanwhile
    lazy = share.penalty == 0
    members = {n: materials.of(n).learner(MTBert, lazy=lazy) for n in sorted(materials.tasks)}
    return Tied(members, penalty=share.penalty, recipe=materials.recipe)


def _distil(share: Share, materials: Materials) -> MultiTask:
    assert isinstance(share, Distil)
    return materials.learner(Student, start=share.start)


LEARNERS: Mapping[str, Callable[[Share, Materials], MultiTask]] = {
    "hard": _hard,
    "heads": _heads,
    "top": _top,
    "lora": _lora,
    "soft": _soft,
    "distil": _distil,
}
