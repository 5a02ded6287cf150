"""A folder that ``export`` wrote: its record, and the model read back from it, packed, for new text."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from transformers import PreTrainedTokenizerBase

from transfer.corpora.base import Card, Example
from transfer.inputs import InputError, read_bytes, validated
from transfer.learning import encoder, evaluate
from transfer.learning.batches import evaluation_batches
from transfer.learning.dropout import Noise
from transfer.learning.mtbert import MTBert
from transfer.recipes import Recipe
from transfer.records import Score
from transfer.tasks import Task, task_of

RECORD = "transfer.json"
WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Places:
    """Names of a transformers class's layers that MTBert has: the pooler (dense, tanh), the linear layer.

    ``settings``: what the configuration must say so that the class computes the same.
    """

    head: str
    pooler: str = ""
    settings: tuple[tuple[str, str], ...] = ()


_ROBERTA = Places("classifier.out_proj", "classifier.dense")
_DEBERTA = Places("classifier", "pooler.dense", (("pooler_hidden_act", "tanh"),))
# by model_type; what is not here computes something else between the encoder and the linear layer
SENTENCES: Mapping[str, Places] = {
    "bert": Places("classifier", "bert.pooler.dense"),
    "roberta": _ROBERTA,
    "xlm-roberta": _ROBERTA,
    "deberta": _DEBERTA,
    "deberta-v2": _DEBERTA,
}
TOKENS: Mapping[str, Places] = dict.fromkeys(
    ("bert", "roberta", "xlm-roberta", "electra", "distilbert", "deberta", "deberta-v2"), Places("classifier")
)


def places_of(model_type: str, task: Task) -> Places | None:
    """Names of the head's layers in the class for a task; None if its head is not MTBert's."""
    return (SENTENCES if task.pooled else TOKENS).get(model_type)


class Exported(BaseModel):
    """Contents of transfer.json: one task of one job, and what a prediction needs besides the weights.

    ``trained_with`` are the corpora that shared the encoder; ``sha256`` is by file name.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: Literal[1] = 1
    transfer: str
    job: str
    label: str
    encoder: str
    recipe: Recipe
    card: Card
    fingerprint: str
    source: str
    trained_with: tuple[str, ...]
    epoch: int
    scores: tuple[Score, ...]
    sha256: dict[str, str]

    @property
    def task(self) -> Task:
        return task_of(self.card)


def record_of(folder: Path) -> Exported:
    """The record of an exported model, all of whose files are there and as they were written.

    Raises InputError otherwise.
    """
    if not folder.is_dir():
        raise InputError(
            f"{folder}: there is no such folder; 'transfer models export JOB --to DIR' makes one"
        )
    path = folder / RECORD
    if not path.is_file():
        below = sorted(home.name for home in folder.iterdir() if (home / RECORD).is_file())
        if below:
            raise InputError(
                f"{folder}: holds the models of {len(below)} tasks; name one: {folder / below[0]}"
            )
        raise InputError(f"{folder}: is no exported model, {RECORD} is missing")
    record = _record(path)
    for name, digest in record.sha256.items():
        file = folder / name
        if not file.is_file():
            raise InputError(f"{file}: is missing; export the job again")
        with file.open("rb") as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() != digest:
                raise InputError(
                    f"{file}: was changed after it was exported; its predictions would be those of another "
                    "model (export the job again, or load the folder with transformers itself)"
                )
    return record


def _record(path: Path) -> Exported:
    try:
        data = json.loads(read_bytes(path))
        if not isinstance(data, dict):
            raise ValueError("no object")
    except (ValueError, RecursionError):
        raise InputError(f"{path}: is not JSON as export writes it; export the job again") from None
    try:
        return validated(Exported, data, path=path)
    except InputError as error:
        raise InputError(f"{error}; export the job again") from None


@dataclass(frozen=True)
class Model:
    """An exported model, ready to predict."""

    record: Exported
    model: MTBert
    tokenizer: PreTrainedTokenizerBase

    def predict(self, examples: Sequence[Example]) -> list[Any]:
        """A prediction for each example: a score, a label, tags or labels. Their gold values are not used."""
        name, task = self.record.card.name, self.record.task
        items = task.encode(examples, self.tokenizer, max_length=self.record.recipe.max_length)
        device = next(self.model.parameters()).device
        batches = [batch.to(device) for batch in evaluation_batches(name, task, items)]
        return evaluate.predict(self.model, evaluate.Held(name, tuple(examples), batches))


def open_model(folder: Path) -> Model:
    """The model of a folder, on a GPU where there is one. Raises InputError, see ``record_of``."""
    record = record_of(folder)
    noise, task = Noise(), record.task
    loaded: Any = encoder.load(folder, layers=None, dropout=0.0, noise=noise)
    model = MTBert(loaded, {record.card.name: task}, noise=noise, recipe=record.recipe, seed=0)
    places = places_of(loaded.config.model_type, task)
    if places is None:
        raise InputError(
            f"{folder}: a model of the family '{loaded.config.model_type}' cannot have been exported for a "
            f"{record.card.kind} task; export the job again"
        )
    try:
        weights = load_file(folder / WEIGHTS)
        _fill(model.heads[0], weights, places.head)
        if task.pooled:
            _fill(model.pooler, weights, places.pooler)
    except (SafetensorError, KeyError, RuntimeError):
        raise InputError(
            f"{folder / WEIGHTS}: does not hold the weights that {RECORD} describes; export the job again"
        ) from None
    model.to(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    return Model(record, model, encoder.tokenizer_of(folder))


def _fill(linear: nn.Module, weights: dict[str, torch.Tensor], name: str) -> None:
    linear.load_state_dict({part: weights[f"{name}.{part}"] for part in ("weight", "bias")})
