"""Ways to share: what becomes of a job's encoder, by the name in its recipe."""

from collections.abc import Callable, Mapping

from transfer.learning.model import MTBert, MultiTask
from transfer.learning.sharing.base import Materials, words_name
from transfer.learning.sharing.distil import Student
from transfer.learning.sharing.frozen import FrozenBelow, FrozenEncoder
from transfer.learning.sharing.lora import Adapted
from transfer.learning.sharing.soft import Tied
from transfer.methods import Distil, Lora, Share, Soft, Top

__all__ = ["SHARING", "Materials", "Student", "learner_of", "words_name"]


def learner_of(materials: Materials) -> MultiTask:
    """The learner of a job."""
    share = materials.recipe.share
    return SHARING[share.method](share, materials)


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


SHARING: Mapping[str, Callable[[Share, Materials], MultiTask]] = {
    "hard": _hard,
    "heads": _heads,
    "top": _top,
    "lora": _lora,
    "soft": _soft,
    "distil": _distil,
}
