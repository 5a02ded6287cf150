"""Methods of joint training as a recipe names them: sharing, mixing and weighting.

Each is a small model of its numbers; what it does is code of the learning wing, in a registry under the same
name (``learning/sharing``, ``learning/mixing.py``, ``learning/weighting.py``).
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from transfer.corpora.base import Name
from transfer.inputs import did_you_mean


class Method(BaseModel):
    """One method and its settings: ``lora``, ``{lora: 8}`` or ``{lora: {rank: 8}}`` in a grid."""

    # what stands below a key describes it: docs/reference.md is made of that
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True)

    method: Any
    main: ClassVar[str] = ""  # the number that may stand alone, as in `{top: 2}`

    def __str__(self) -> str:
        numbers = self.model_dump(exclude={"method"}, exclude_none=True)
        said = [_said(v) if key == self.main else f"{key} {_said(v)}" for key, v in numbers.items()]
        return f"{self.method} {', '.join(said)}".strip()


def _said(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_said(one)}" for name, one in value.items())
    return " ".join(value) if isinstance(value, tuple) else str(value)


class Share(Method):
    """A way to share weights between the corpora of a job."""

    whole: ClassVar[bool] = True  # whether one encoder comes out that can be kept, and be a parent
    alone: ClassVar[bool] = True  # whether it says something of a corpus without partner


class Hard(Share):
    """All layers are shared."""

    method: Literal["hard"]


class Heads(Share):
    """The encoder is frozen, and its outputs are cached. Pooler and heads are trained."""

    method: Literal["heads"]


class Top(Share):
    """The lower layers are frozen without dropout, their outputs cached; the upper ones are shared."""

    main = "layers"
    method: Literal["top"]
    layers: int = Field(ge=1)
    """Number of upper layers that are trained."""


class Lora(Share):
    """Low-rank adapters on a frozen encoder (Hu et al. 2022), through peft."""

    main = "rank"
    method: Literal["lora"]
    rank: int = Field(default=8, ge=1)
    """Rank of each adapter."""
    alpha: float = Field(default=16.0, gt=0)
    """Scale: an adapter's output is multiplied by alpha / rank."""
    adapters: Literal["shared", "task"] = "shared"
    """One set for all corpora (`shared`), or one per corpus (`task`)."""
    modules: tuple[str, ...] | None = None
    """Names of the linear layers with an adapter; by default the family's queries and values."""

    @property
    def whole(self) -> bool:  # type: ignore[override]
        return self.adapters == "shared"


class Soft(Share):
    """One encoder per corpus, tied by a penalty on the distance of their weights (Duong et al. 2015)."""

    main = "penalty"
    whole = False
    alone = False
    method: Literal["soft"]
    penalty: float = Field(ge=0)
    """Penalty on the distance: 0 shares nothing, and a larger one is closer to `hard`."""


class Distil(Share):
    """All layers are shared; single-task models of the same seed are teachers (Clark et al. 2019)."""

    main = "start"
    alone = False
    method: Literal["distil"]
    start: float = Field(default=1.0, gt=0, le=1)
    """The teachers' share of the loss at the first step; it falls linearly to 0 at the last."""


class Mix(Method):
    """A way to mix: mini-batches per epoch from each corpus."""


class Proportional(Mix):
    """Each mini-batch once an epoch (Algorithm 1 of the paper)."""

    method: Literal["proportional"]


class Uniform(Mix):
    """The same number from each corpus."""

    method: Literal["uniform"]


class Temperature(Mix):
    """In proportion to size^(1/T): 1 is proportional, a large T is uniform."""

    main = "temperature"
    method: Literal["temperature"]
    temperature: float = Field(ge=1)
    """The temperature T."""


class Annealed(Mix):
    """A temperature that falls linearly to 1 in the last epoch."""

    main = "temperature"
    method: Literal["annealed"]
    temperature: float = Field(default=5.0, ge=1)
    """Temperature of the first epoch."""


class Weigh(Method):
    """A way to weight the losses of the corpora."""

    together: ClassVar[bool] = False  # whether a step sees a mini-batch of each corpus


class Equal(Weigh):
    """All losses have the same weight."""

    method: Literal["equal"]


class Fixed(Weigh):
    """Losses have given weights."""

    main = "weights"
    method: Literal["fixed"]
    weights: dict[Name, Annotated[float, Field(gt=0)]]
    """Weight per corpus (default 1)."""


class Uncertainty(Weigh):
    """Losses are weighted by learned uncertainties of the tasks (Kendall et al. 2018)."""

    main = "lr"
    method: Literal["uncertainty"]
    lr: float = Field(default=0.01, gt=0)
    """Peak learning rate of the uncertainties."""


class PCGrad(Weigh):
    """Conflicting gradients are projected onto each other's normal plane (Yu et al. 2020)."""

    together = True
    method: Literal["pcgrad"]


class CAGrad(Weigh):
    """The step whose worst task gains most, near the mean gradient (Liu et al. 2021)."""

    together = True
    main = "c"
    method: Literal["cagrad"]
    c: float = Field(default=0.5, ge=0)
    """Maximum distance from the mean gradient, as a share of its norm; 0 is the mean."""


class UPGrad(Weigh):
    """The mean of all gradients, each projected so that no task is harmed (Quinton and Rey 2024)."""

    together = True
    method: Literal["upgrad"]


SHARING: Mapping[str, type[Share]] = {
    "hard": Hard, "heads": Heads, "top": Top, "lora": Lora, "soft": Soft, "distil": Distil,
}  # fmt: skip
MIXING: Mapping[str, type[Mix]] = {
    "proportional": Proportional, "uniform": Uniform, "temperature": Temperature, "annealed": Annealed,
}  # fmt: skip
WEIGHING: Mapping[str, type[Weigh]] = {
    "equal": Equal, "fixed": Fixed, "uncertainty": Uncertainty,
    "pcgrad": PCGrad, "cagrad": CAGrad, "upgrad": UPGrad,
}  # fmt: skip

HARD, PROPORTIONAL, EQUAL = Hard(method="hard"), Proportional(method="proportional"), Equal(method="equal")


def _named(registry: Mapping[str, type[Method]]) -> BeforeValidator:
    """Validator that reads a method as a grid or a stored job writes it."""

    def read(value: Any) -> Any:
        if isinstance(value, Method):
            return value
        if isinstance(value, str):
            value = {value: {}}
        if not isinstance(value, dict) or not value:
            raise ValueError(f"should be a name ({', '.join(registry)}), or a name with its numbers")
        if "method" in value:  # as it was kept
            name, numbers = value["method"], {key: v for key, v in value.items() if key != "method"}
        elif len(value) == 1:
            ((name, numbers),) = value.items()
        else:
            raise ValueError(f"should be one method with its numbers, as in {{{next(iter(value))}: …}}")
        if name not in registry:
            raise ValueError(
                f"unknown method '{name}'{did_you_mean(str(name), registry)}; known: {', '.join(registry)}"
            )
        kind = registry[name]
        if "method" not in value and (not isinstance(numbers, dict) or _is_main(kind, numbers)):
            if not kind.main:
                raise ValueError(f"'{name}' has no number of its own: write {name}")
            numbers = {kind.main: numbers}
        return _validated(kind, name, numbers)

    return BeforeValidator(read)


def _is_main(kind: type[Method], numbers: Mapping[str, Any]) -> bool:
    """Whether a mapping is the method's main value itself: the weights of `fixed`."""
    return kind is Fixed and bool(numbers) and "weights" not in numbers


def _validated(kind: type[Method], name: str, numbers: Mapping[str, Any]) -> Method:
    for key, field in kind.model_fields.items():
        if field.is_required() and key != "method" and key not in numbers:
            raise ValueError(f"'{name}' needs its {key}, as in {{{name}: …}}")
    for key in numbers:
        if key not in kind.model_fields:
            known = [known for known in kind.model_fields if known != "method"]
            raise ValueError(f"'{name}' has no '{key}'{did_you_mean(str(key), known)}")
    return kind.model_validate({**numbers, "method": name})


Sharing = Annotated[Share, _named(SHARING)]
Mixing = Annotated[Mix, _named(MIXING)]
Weighing = Annotated[Weigh, _named(WEIGHING)]


def top_refused(layers: int, of: int) -> str:
    """Error message for a `top` that would freeze nothing."""
    fits = f"top: {of - 1} or less" if of > 1 else "share: heads"
    return f"share: 'top: {layers}' freezes none of the encoder's {of} layers; write {fits}, or share: hard"
