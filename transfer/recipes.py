"""Recipes: named, complete sets of optimization settings."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializeAsAny, model_validator

from transfer.inputs import InputError, Places, did_you_mean, placed
from transfer.methods import EQUAL, HARD, PROPORTIONAL, Fixed, Mixing, Sharing, Uniform, Weighing


class Strict(BaseModel):
    """Base of models that a user writes: unknown keys are errors, and instances are frozen."""

    # what stands below a key describes it: docs/reference.md is made of that
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)


class FineTuning(Strict):
    """Settings of fine-tuning (stage 3) that differ from refinement."""

    lr: float = Field(gt=0)
    """Peak learning rate."""
    epochs: int = Field(ge=1)
    """Number of epochs."""


class Recipe(Strict):
    """Complete settings of the optimization."""

    lr: float = Field(gt=0)
    """Peak learning rate, at the end of the warm-up."""
    epochs: int = Field(ge=1)
    """Number of epochs; the best one is selected on dev."""
    batch_size: int = Field(ge=1)
    """Examples per mini-batch, all from one corpus."""
    max_length: int = Field(default=128, ge=8)
    """Subword tokens per sequence. Longer texts are truncated; long tagging sentences are divided."""
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of all steps in which the learning rate rises; after that it falls linearly to 0."""
    weight_decay: float = Field(default=0.01, ge=0)
    """Decoupled weight decay of all weights but bias and LayerNorm."""
    clip: float = Field(default=1.0, gt=0)
    """Maximum global norm of the gradients."""
    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout probability in encoder, attention and heads."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Precision of matrix products: fp32 or bf16; weights stay fp32. Some CPUs are slower in bf16."""
    share: SerializeAsAny[Sharing] = HARD
    """Method by which the corpora of a job share weights ([methods](methods.md#ways-to-share))."""
    mix: SerializeAsAny[Mixing] = PROPORTIONAL
    """Method by which an epoch mixes the mini-batches of the corpora ([methods](methods.md#ways-to-mix))."""
    weigh: SerializeAsAny[Weighing] = EQUAL
    """Method by which the losses of the corpora are weighted ([methods](methods.md#ways-to-weigh))."""
    fine_tune: FineTuning | None = None
    """Settings of the stage `fine-tune`, for grids with `stages: [refine, fine-tune]`."""

    @model_validator(mode="after")
    def _methods_fit(self) -> "Recipe":
        if self.weigh.together and not isinstance(self.mix, Uniform):
            raise ValueError(
                f"weigh: {self.weigh.method} sees a mini-batch of each corpus at every step, so as many of "
                "each: write 'mix: uniform' beside it"
            )
        if self.weigh.together and self.share.method == "soft":
            raise ValueError(
                f"weigh: {self.weigh.method} weighs gradients of shared weights, and with 'share: soft' each "
                "corpus has weights of its own; write 'weigh: equal', or share otherwise"
            )
        return self

    def of(self, names: Collection[str]) -> "Recipe":
        """The recipe of a job of these corpora, without what cannot change it.

        A corpus without partner is not mixed or weighed, nor tied or taught: under all such methods its job
        is the same.
        """
        changed: dict[str, Any] = {}
        if len(names) == 1:
            changed |= {"mix": PROPORTIONAL, "weigh": EQUAL}
            if not self.share.alone:
                changed["share"] = HARD
        elif isinstance(self.weigh, Fixed):
            own = {name: weight for name, weight in sorted(self.weigh.weights.items()) if name in names}
            changed["weigh"] = Fixed(method="fixed", weights=own) if own else EQUAL
        return self.model_copy(update=changed)

    @property
    def of_stage_3(self) -> "Recipe":
        """The recipe of fine-tuning, in which all layers train on one corpus."""
        assert self.fine_tune is not None
        methods = {"share": HARD, "mix": PROPORTIONAL, "weigh": EQUAL, "fine_tune": None}
        return self.model_copy(update=self.fine_tune.model_dump() | methods)


# `paper`: from the text of Peng et al. 2020 (after MT-DNN): rate, batch size, length, warm-up and linear
# decay, decoupled weight decay, clipping, dropout. Not from it: that all 100 epochs are run (there they are a
# maximum), and stage 3, of which the text says "e-5" and the authors' script uses 1e-5 to 6e-5 and 10 to 30
# epochs, by task; here it is the lower end of both for all tasks.
# `sound`: the default for studies with an encoder of BERT-base's size: customary numbers for fine-tuning one,
# with epochs enough that the best on dev is seldom the last. They are not tuned on any corpus here.
# `quick` is tuned on the dev scores of the synthetic corpora with MiniLM-L6's first two layers, which
# need the larger rate; all six layers need 5e-4. docs/grids.md says which recipe is for which encoder.
# `small` is chosen for all layers of MiniLM-L6 on real text, by dev scores of one corpus of each kind with
# 400 training examples (docs/studies/recipe.md).
RECIPES: Mapping[str, Recipe] = {
    "paper": Recipe(lr=5e-5, epochs=100, batch_size=32, fine_tune=FineTuning(lr=1e-5, epochs=10)),
    "quick": Recipe(lr=2e-3, epochs=8, batch_size=8, fine_tune=FineTuning(lr=5e-4, epochs=2)),
    "small": Recipe(lr=3e-4, epochs=10, batch_size=8, fine_tune=FineTuning(lr=1e-4, epochs=5)),
    "sound": Recipe(lr=5e-5, epochs=20, batch_size=32, fine_tune=FineTuning(lr=2e-5, epochs=5)),
}


def resolved(value: Any, *, path: Path, lines: Places) -> tuple[Any, str]:
    """A recipe's name, or ``{base: name, key: value}``, as the complete set of numbers and its name."""
    where = placed(path, lines, ("recipe", "base"))
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
