"""Recipes: named, complete sets of the numbers of an optimisation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from transfer.inputs import InputError, did_you_mean


class Strict(BaseModel):
    """What a person writes: unknown keys are errors, nothing changes once it is read."""

    # what stands below a key describes it: docs/reference.md is made of that
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class FineTuning(Strict):
    """What stage 3 does otherwise than refinement."""

    lr: float = Field(gt=0)
    """Learning rate at its highest."""
    epochs: int = Field(ge=1)
    """How often each example is seen."""


class Recipe(Strict):
    """Every number of the optimisation."""

    lr: float = Field(gt=0)
    """Learning rate at its highest, where the warm-up ends."""
    epochs: int = Field(ge=1)
    """How often each example is seen; the best epoch is chosen on dev."""
    batch_size: int = Field(ge=1)
    """Examples of a mini-batch; all of them are of one corpus."""
    max_length: int = Field(default=128, ge=8)
    """Word pieces of a sequence. Longer pairs lose their ends; taggers' sentences are divided."""
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """The share of all steps in which the rate rises; then it falls to 0 in a straight line."""
    weight_decay: float = Field(default=0.01, ge=0)
    """Decoupled, on all but bias and LayerNorm."""
    clip: float = Field(default=1.0, gt=0)
    """The greatest norm of all gradients together."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Everywhere: encoder, attention and heads."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Of the encoder's matrix products; weights stay fp32."""
    fine_tune: FineTuning | None = None
    """What stage 3 does otherwise, for grids with `stages: [refine, fine-tune]`."""


# `paper`: from the text of Peng et al. 2020 (after MT-DNN): rate, batch size, length, warm-up and linear
# decay, decoupled weight decay, clipping, dropout. Not from it: that all 100 epochs are run (there they are a
# maximum), and stage 3, of which the text says "e-5" and the authors' script uses 1e-5 to 6e-5 and 10 to 30
# epochs, by task; here it is the lower end of both for all tasks.
# `sound`: the default for studies with an encoder of BERT-base's size: customary numbers for fine-tuning one,
# with epochs enough that the best on dev is seldom the last. They are not tuned on any corpus here.
# `quick` is tuned on the dev scores of the synthetic corpora with MiniLM-L6's first two layers, which
# need the larger rate.
RECIPES: Mapping[str, Recipe] = {
    "paper": Recipe(lr=5e-5, epochs=100, batch_size=32, fine_tune=FineTuning(lr=1e-5, epochs=10)),
    "quick": Recipe(lr=2e-3, epochs=8, batch_size=8, fine_tune=FineTuning(lr=5e-4, epochs=2)),
    "sound": Recipe(lr=5e-5, epochs=20, batch_size=32, fine_tune=FineTuning(lr=2e-5, epochs=5)),
}


def resolved(value: Any, *, path: Path, lines: Mapping[tuple, int]) -> tuple[Any, str]:
    """A recipe's name, or ``{base: name, key: value}``, as the complete set of numbers and its name."""
    line = lines.get(("recipe",))
    where = f"{path} line {line}" if line else str(path)
    if isinstance(value, str):
        return _named_recipe(value, where).model_dump(), value
    if not isinstance(value, dict):
        raise InputError(
            f"{where}: 'recipe' should be a name ({', '.join(RECIPES)}) or {{base: paper, epochs: 20}}"
        )
    changed = dict(value)
    base = changed.pop("base", None)
    if base is None:
        return changed, "own"
    named = _named_recipe(str(base), where).model_dump()
    if isinstance(changed.get("fine_tune"), dict):
        changed["fine_tune"] = {**(named["fine_tune"] or {}), **changed["fine_tune"]}
    return {**named, **changed}, f"{base} with changes" if changed else str(base)


def _named_recipe(name: str, where: str) -> Recipe:
    if name not in RECIPES:
        raise InputError(f"{where}: unknown recipe '{name}'{did_you_mean(name, RECIPES)}")
    return RECIPES[name]
