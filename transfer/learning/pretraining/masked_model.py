"""A masked language model: an encoder, and transformers' own head that says which word piece was hidden."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import AutoModelForMaskedLM

from transfer.inputs import InputError
from transfer.learning import encoder
from transfer.learning.batches import Batch
from transfer.learning.dropout import Noise
from transfer.learning.evaluate import Diverged
from transfer.learning.mtbert import Learner
from transfer.recipes import Recipe


def _deberta(model: Any, hidden: Tensor) -> Tensor:
    if model.legacy:
        return model.cls(hidden)
    return model.lm_predictions(hidden, model.get_input_embeddings())


# The logits of last-layer vectors, by the model_type of config.json: what transformers' models do with all
# vectors of a sequence is done here with those alone that are read.
HEADS: Mapping[str, Callable[[Any, Tensor], Tensor]] = {
    "bert": lambda model, hidden: model.cls(hidden),
    "deberta": _deberta,
    "deberta-v2": _deberta,
    "distilbert": lambda model, hidden: model.vocab_projector(
        model.vocab_layer_norm(model.activation(model.vocab_transform(hidden)))
    ),
    "electra": lambda model, hidden: model.generator_lm_head(model.generator_predictions(hidden)),
    "modernbert": lambda model, hidden: model.decoder(model.head(hidden)),
    "roberta": lambda model, hidden: model.lm_head(hidden),
    "xlm-roberta": lambda model, hidden: model.lm_head(hidden),
}


class MaskedLM(Learner):
    """``whole`` (transformers' model) as the training loop wants it.

    ``freeze``: the encoder and the word table stay as they are, the head alone learns.
    """

    def __init__(self, whole: Any, *, noise: Noise, recipe: Recipe, freeze: bool = False) -> None:
        super().__init__(noise=noise, recipe=recipe)
        self.whole = whole
        self.whole.base_model.requires_grad_(not freeze)

    def forward(self, batch: Batch) -> Tensor:
        """The logits of what was hidden: [vectors read, size of the word table]."""
        hidden = self.read(self.whole.base_model, batch.rows[batch.ids], batch)
        return HEADS[self.whole.config.model_type](self.whole, hidden)

    def loss(self, batch: Batch) -> Tensor:
        return F.cross_entropy(self(batch), batch.targets)

    # a table that encoder and head share has one name here: what is written to a file shares no memory
    def state_dict(self, *_: Any, **__: Any) -> dict[str, Tensor]:
        return {name: weight.detach() for name, weight in self.named_parameters()}

    def load_state_dict(self, state_dict: Mapping[str, Any], *_: Any, **__: Any) -> None:  # type: ignore[override]
        own = self.state_dict()
        assert own.keys() == state_dict.keys()
        for name, weight in own.items():
            weight.copy_(state_dict[name])


def load(
    folder: Path, *, layers: int | None, recipe: Recipe, seed: int, freeze: bool
) -> tuple[MaskedLM, bool]:
    """The encoder of a folder with its head, and whether the head is fresh because the folder has none.

    A fresh head's first weights are drawn from ``seed`` alone, but its last layer is the word table. The
    encoder's pooler, which no hidden word piece is read through, stays as it is.
    Raises InputError where a part of a head is missing.
    """
    noise = Noise()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        whole, missing = encoder.loaded_as(AutoModelForMaskedLM, folder, layers)
    base = whole.base_model_prefix
    shared = {id(weight) for weight in whole.base_model.parameters()}
    head = {n for n, w in whole.named_parameters(remove_duplicate=False) if id(w) not in shared}
    lacking = head & set(missing)
    if lacking and lacking != head:
        raise InputError(f"{folder}: of the masked-language-model head {min(lacking)} is missing")
    setattr(whole, base, encoder.load(folder, layers=layers, dropout=recipe.dropout, noise=noise))
    words: Any = whole.get_input_embeddings()
    words.weight = nn.Parameter(words.weight.detach().clone())  # the loaded table is shared with others
    whole.tie_weights()
    return MaskedLM(whole, noise=noise, recipe=recipe, freeze=freeze), bool(lacking)


@torch.no_grad()
def likelihood(model: MaskedLM, held: Sequence[Batch]) -> float:
    """The mean log-likelihood (natural logarithm) of what is hidden; the perplexity is exp of its negative.

    Raises Diverged where it is not finite.
    """
    model.eval()
    total = sum(float(model.loss(batch)) * len(batch.read) for batch in held)
    mean = -total / sum(len(batch.read) for batch in held)
    if not mean > float("-inf"):
        raise Diverged("training diverged: the loss on the held-out text is not finite; try a lower --lr")
    return mean
