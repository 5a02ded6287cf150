"""Trained models that stay in the store, for ``export`` to convert to transformers format.

<store>/jobs/<job id>/model/epoch-<n>.safetensors  encoder and pooler after an epoch that dev chose, and the
                                                   heads of the corpora that it was chosen for
<store>/jobs/<job id>/model/config.json, …         the encoder's configuration and tokenizer
<store>/jobs/<job id>/model/model.json             written last: corpora, scores, and hashes of the others
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors.torch import load, save_file
from torch import Tensor
from transformers import AutoTokenizer

from transfer.corpora import Corpus
from transfer.corpora.base import SPLITS, Card, Split
from transfer.learning.best import Best
from transfer.learning.lazy_embedding import whole_table
from transfer.learning.mtbert import MTBert
from transfer.learning.sharing import words_name
from transfer.records import Damaged, JobResult
from transfer.store import Store


class KeptTask(BaseModel):
    """A corpus that a kept model was trained on, and the epoch that was chosen for it."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    card: Card
    fingerprint: str
    source: str
    notes: tuple[str, ...]
    items: dict[Split, int]
    epoch: int


class KeptModel(BaseModel):
    """Contents of model.json. ``result`` is that of the training that made these weights."""

    # a later version may add keys; an old model loads for ever
    model_config = ConfigDict(extra="ignore", frozen=True)

    format: Literal[1] = 1
    result: JobResult
    tasks: dict[str, KeptTask]
    sha256: dict[str, str]

    def weights(self, store: Store, task: str) -> dict[str, Tensor]:
        """A task's ``encoder.…``, ``pooler.…`` and ``head.…``. Raises Damaged, see ``file_of``."""
        found = load(self.file_of(store, f"epoch-{self.tasks[task].epoch}.safetensors"))
        shared = {name: w for name, w in found.items() if not name.startswith("heads.")}
        return shared | {f"head.{part}": found[f"heads.{task}.{part}"] for part in ("weight", "bias")}

    def file_of(self, store: Store, name: str) -> bytes:
        """One of the model's files. Raises Damaged where it is gone or not what was written."""
        place = f"jobs/{self.result.id}/model/{name}"
        try:
            data = store.files.read(place)
        except FileNotFoundError:
            raise Damaged(f"{store.files.at(place)}: is gone; {again(store, self.result.id)}") from None
        if hashlib.sha256(data).hexdigest() != self.sha256[name]:
            raise Damaged(
                f"{store.files.at(place)}: was changed after it was written; {again(store, self.result.id)}"
            )
        return data


def again(store: Store, job_id: str) -> str:
    """Advice on how to train a damaged model again."""
    home = store.files.at(f"jobs/{job_id}/model")
    return f"remove {home} and run the grid with its 'keep', that trains the model again"


def kept_model(store: Store, job_id: str) -> KeptModel:
    """The kept model of a job. Raises FileNotFoundError where there is none, Damaged where it is damaged."""
    name = f"jobs/{job_id}/model/model.json"
    try:
        return KeptModel.model_validate_json(store.files.read(name))
    except ValidationError as error:
        raise Damaged(
            f"{store.files.at(name)}: is no record of a model ({error.errors()[0]['msg']}); "
            f"{again(store, job_id)}"
        ) from None


def save(
    folder: Path,
    model: MTBert,
    best: Best,
    corpora: Mapping[str, Corpus],
    result: JobResult,
    *,
    whole: Tensor,
    encoder: Path,
) -> Path:
    """Write a job's model into the new ``folder``; each corpus's weights are those of its own epoch.

    ``whole`` is the word-piece table that the job began with, ``encoder`` the folder it began from.
    """
    folder.mkdir(parents=True)
    for epoch in sorted({best.epoch[name] for name in corpora}):
        weights = best.weights[epoch]
        tensors = shared_of(model, weights, whole=whole)
        for name in corpora:
            if best.epoch[name] == epoch:
                for part in ("weight", "bias"):
                    tensors[f"heads.{name}.{part}"] = weights[f"heads.{model.head_of[name]}.{part}"]
        write_tensors(tensors, folder / f"epoch-{epoch}.safetensors")
    model.encoder.config.save_pretrained(folder)
    _save_tokenizer(encoder, folder, result.job.recipe.max_length)
    kept = KeptModel(
        result=result,
        tasks={
            name: KeptTask(
                card=c.card,
                fingerprint=c.fingerprint,
                source=c.source,
                notes=c.notes,
                items={**{s: len(c.split(s)) for s in SPLITS}, "train": result.train_items[name]},
                epoch=best.epoch[name],
            )
            for name, c in corpora.items()
        },
        sha256=hashes_of(folder),
    )
    (folder / "model.json").write_text(kept.model_dump_json(indent=1), encoding="utf-8")
    return folder


def shared_of(model: MTBert, weights: Mapping[str, Tensor], *, whole: Tensor) -> dict[str, Tensor]:
    """The weights that a model's tasks share, with the whole word-piece table."""
    shared = model.plain(weights)
    words = words_name(model)
    shrunk = shared.pop(words.removesuffix("weight") + "shrunk")
    shared[words] = whole_table(whole, model.words, weight=shared[words], shrunk=shrunk)
    return shared


def write_tensors(tensors: Mapping[str, Tensor], file: Path) -> None:
    """A safetensors file, from whatever device the tensors are on."""
    save_file({name: w.cpu().contiguous() for name, w in tensors.items()}, file)


def hashes_of(folder: Path) -> dict[str, str]:
    """The SHA-256 of each file that is directly in a folder."""
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.is_file()
    }


def _save_tokenizer(encoder: Path, folder: Path, max_length: int) -> None:
    # a fresh one: what is in use remembers how it was last called
    tokenizer = AutoTokenizer.from_pretrained(encoder, local_files_only=True)
    tokenizer.model_max_length = max_length
    if tokenizer.is_fast:
        tokenizer.backend_tokenizer.no_truncation()
        tokenizer.backend_tokenizer.no_padding()
    for said_of_this_machine in ("name_or_path", "is_local", "local_files_only"):
        tokenizer.init_kwargs.pop(said_of_this_machine, None)
    tokenizer.save_pretrained(folder)
