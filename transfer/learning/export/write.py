"""A kept model as folders that transformers loads unchanged, one for each task of the job."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path

from torch import Tensor
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.utils import logging as transformers_logging

from transfer import __version__
from transfer.inputs import InputError, did_you_mean
from transfer.learning.export import card
from transfer.learning.export.read import RECORD, SENTENCES, TOKENS, Exported, Places, places_of
from transfer.learning.kept_models import KeptModel, hashes_of, kept_model
from transfer.records import CorpusRecord
from transfer.store import Store
from transfer.tasks import Task, task_of


def export(
    store: Store, job_id: str, *, to: Path, task: str | None = None, known: Sequence[CorpusRecord] = ()
) -> list[Exported]:
    """Export a job's kept model: one task into ``to`` itself, several into a folder each below it.

    ``known`` are corpora that the model card may speak of (a fine-tuned model's partners). Raises InputError
    where ``to`` holds anything already, the job has no such task, or transformers has no class that computes
    what the model does; then nothing is written. Raises FileNotFoundError where the model was not kept.
    """
    kept = kept_model(store, job_id)
    if task is not None and task not in kept.tasks:
        raise InputError(f"the job {job_id} has no task '{task}'{did_you_mean(task, kept.tasks)}")
    names = [task] if task is not None else sorted(kept.tasks)
    # an empty folder that somebody made beforehand is as good as none
    if to.exists() and not (to.is_dir() and not any(to.iterdir())):
        raise InputError(f"{to}: is there already; nothing was written, name another folder with --to")
    draft = to.absolute().parent / f".{to.absolute().name}.{uuid.uuid4().hex}"
    try:
        draft.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"{to}: cannot be written to ({error.strerror or error})") from None
    try:
        written = []
        for name in names:
            folder = draft / name if len(names) > 1 else draft
            folder.mkdir(exist_ok=True)
            written.append(_write(store, kept, name, folder, known))
        os.replace(draft, to)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return written


def _write(store: Store, kept: KeptModel, name: str, folder: Path, known: Sequence[CorpusRecord]) -> Exported:
    for file in kept.sha256:
        if not file.endswith(".safetensors"):
            (folder / file).write_bytes(kept.file_of(store, file))
    own, job = kept.tasks[name], kept.result.job
    task = task_of(own.card)
    model = plain(AutoConfig.from_pretrained(folder, local_files_only=True), task, kept.weights(store, name))
    with _quietly():
        model.save_pretrained(folder)
    for file in folder.iterdir():
        file.chmod(0o666 & ~_umask())  # safetensors writes for its owner alone
    # what a path of this machine would tell is nobody's business
    encoder = Path(job.encoder.name).name if Path(job.encoder.name).is_dir() else job.encoder.name
    record = Exported(
        transfer=__version__,
        job=job.id,
        label=job.label,
        encoder=encoder + (f" (layers: {job.encoder.layers})" if job.encoder.layers else ""),
        recipe=job.recipe,
        card=own.card,
        fingerprint=own.fingerprint,
        source=own.source,
        trained_with=job.group,
        epoch=own.epoch,
        scores=tuple(score for score in kept.result.scores if score.corpus == name),
        sha256=hashes_of(folder),
    )
    (folder / RECORD).write_text(record.model_dump_json(indent=1), encoding="utf-8")
    text = card.text(record, kept, first=store.get(job.id), known=known)
    (folder / "README.md").write_text(text, encoding="utf-8")
    return record


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without the progress bars of transformers."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def plain(config: PreTrainedConfig, task: Task, weights: dict[str, Tensor]) -> PreTrainedModel:
    """The model of transformers that computes what MTBert does with ``weights`` (see KeptModel.weights).

    Raises InputError where the encoder's family has none: its class has another head.
    """
    auto = AutoModelForSequenceClassification if task.pooled else AutoModelForTokenClassification
    places = places_of(config.model_type, task)
    if places is None:
        known = ", ".join(sorted(SENTENCES if task.pooled else TOKENS))
        what = "text" if task.pooled else "token"
        head = "dropout and a linear layer" + (" on dense and tanh" if task.pooled else "")
        raise InputError(
            f"the {what} classifier of transformers for the family '{config.model_type}' has another head "
            f"than the one that was trained ({head}), so it would predict something else; nothing was "
            f"written. Families that can be exported for this kind of task: {known}"
        )
    _configure(config, task, places)
    model = auto.from_config(config)
    model.load_state_dict(_renamed(model.base_model_prefix, task, places, weights))
    return model.eval()


def _configure(config: PreTrainedConfig, task: Task, places: Places) -> None:
    config.id2label = dict(enumerate(task.names))
    config.label2id = {name: i for i, name in enumerate(task.names)}
    config.problem_type = task.problem
    for key, value in places.settings:
        setattr(config, key, value)


def _renamed(prefix: str, task: Task, places: Places, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    parts = {"encoder.": f"{prefix}.", "head.": f"{places.head}."}
    if task.pooled:
        parts["pooler."] = f"{places.pooler}."
    return {
        new + name.removeprefix(old): w
        for name, w in weights.items()
        for old, new in parts.items()
        if name.startswith(old)
    }
