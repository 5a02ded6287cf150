"""Low-rank adapters on a frozen encoder (Hu et al. 2022), through peft."""

import warnings
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from transfer.encoders import FAMILIES
from transfer.inputs import InputError
from transfer.learning.batches import Batch, name_seed
from transfer.learning.dropout import use_noise
from transfer.learning.lazy_embedding import Words
from transfer.learning.mtbert import MTBert
from transfer.methods import Lora

SHARED = "shared"  # the one adapter's name; a corpus's adapter has its place among the tasks


class Adapted(MTBert):
    """The encoder's weights stay; adapters train, with pooler and heads.

    An adapter's first matrix is drawn from seed, module and, where each corpus has adapters of its own,
    corpus: it does not depend on partners. Its second one begins at 0, so the encoder begins as it is.
    """

    def __init__(self, *args: Any, lora: Lora, **more: Any) -> None:
        super().__init__(*args, **more)
        import peft

        self.lora = lora
        self.encoder.requires_grad_(False)
        each = lora.adapters == "task"
        self.adapters = [f"task{i}" for i in range(len(self.tasks))] if each else [SHARED]
        config = peft.LoraConfig(
            r=lora.rank,
            lora_alpha=lora.alpha,  # type: ignore[arg-type]
            lora_dropout=more["recipe"].dropout,
            target_modules=list(modules_of(self.encoder, lora)),
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Already found a `peft_config`")  # several are meant
            for adapter in self.adapters:
                peft.inject_adapter_in_model(config, self.encoder, adapter_name=adapter)
        use_noise(self.encoder, self.noise)
        named = sorted(self.encoder.named_modules())
        self._adapted = [(name, m) for name, m in named if isinstance(m, peft.tuners.lora.LoraLayer)]
        for place, adapter in enumerate(self.adapters):
            of = [more["seed"], name_seed(list(self.tasks)[place]) if each else name_seed("")]
            for name, layer in self._adapted:
                _begin(layer, adapter, [*of, name_seed(name)])
        for name, parameter in self.encoder.named_parameters():
            parameter.requires_grad_(".lora_" in name)

    def use_words(self, words: Words) -> None:
        words.requires_grad_(False)
        super().use_words(words)

    def read(self, encoder: Any, ids: Tensor, batch: Batch) -> Tensor:
        if len(self.adapters) > 1:
            for _, layer in self._adapted:
                # not set_adapter: that would freeze the others
                layer._active_adapter = [self.adapters[self.head_of[batch.corpus]]]
        return super().read(encoder, ids, batch)

    def plain(self, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The encoder with its adapters added to the weights that they adapt."""
        assert self.adapters == [SHARED]
        found = {name.replace(".base_layer.", "."): w for name, w in super().plain(weights).items()}
        kept = {name: w for name, w in found.items() if ".lora_" not in name}
        for name, layer in self._adapted:
            home = f"encoder.{name}"
            low, high = (found[f"{home}.lora_{part}.{SHARED}.weight"] for part in "AB")
            kept[f"{home}.weight"] = kept[f"{home}.weight"] + layer.scaling[SHARED] * (high @ low)
        return kept


def modules_of(encoder: Any, lora: Lora) -> tuple[str, ...]:
    """The linear layers that get an adapter. Raises InputError where the encoder has none of a name."""
    asked = lora.modules or FAMILIES[encoder.config.model_type].projections
    linear = {
        name.rpartition(".")[-1] for name, m in encoder.named_modules() if isinstance(m, torch.nn.Linear)
    }
    for name in asked:
        if name not in linear:
            raise InputError(
                f"share: lora: the encoder has no linear layer '{name}'; it has {', '.join(sorted(linear))}; "
                "name some of these, as in share: {lora: {modules: [" + min(linear) + "]}}"
            )
    return asked


@torch.no_grad()
def _begin(layer: Any, adapter: str, seed: list[int]) -> None:
    generator = torch.Generator().manual_seed((seed[0] * 2**32 + seed[1] + (seed[2] << 20)) % 2**63)
    low, high = layer.lora_A[adapter].weight, layer.lora_B[adapter].weight
    bound = low.shape[1] ** -0.5  # what peft and torch draw for a linear layer
    low.uniform_(-bound, bound, generator=generator)
    high.zero_()
