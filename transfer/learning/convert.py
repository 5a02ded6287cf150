"""An encoder with pickled weights, or whose tokenizer takes capitals wrongly, written as it should be."""

import os
import pickle
import shutil
import uuid
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor
from transformers import AutoTokenizer

from transfer.encoders import ALIASES, PICKLED, check_files, folder_of
from transfer.inputs import InputError
from transfer.learning import encoder


def convert(name: str, to: Path) -> Path:
    """Write an encoder (an alias, a folder or a hub id) into the new folder ``to``, and return that.

    Weights become safetensors under the names that they have; pickles are read with ``weights_only=True``,
    which builds tensors and runs nothing. An alias's tokenizer treats capitals as in training.
    Raises InputError where there is no such encoder, it cannot be read or loaded, or ``to`` is there.
    """
    if to.exists():
        raise InputError(f"{to}: is there already; nothing is overwritten, name a new folder")
    folder = folder_of(name, pickled=True)
    check_files(folder)
    cased = ALIASES[name].cased if name in ALIASES else None
    draft = to.parent / f".{to.name}.{uuid.uuid4().hex}"
    try:
        draft.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"{to}: cannot be written to ({error.strerror or error})") from None
    try:
        how = {} if cased is None else {"do_lower_case": not cased}
        AutoTokenizer.from_pretrained(folder, local_files_only=True, **how).save_pretrained(draft)
        shutil.copyfile(folder / "config.json", draft / "config.json")
        _weights(folder, draft)
        try:
            encoder.check(draft, layers=None, cased=cased)
        except InputError as error:
            raise InputError(str(error).replace(str(draft), str(folder))) from error
        os.rename(draft, to)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return to


def _weights(folder: Path, draft: Path) -> None:
    ready = sorted(folder.glob("*.safetensors*"))  # with the index of shards
    for path in ready:
        shutil.copyfile(path, draft / path.name)
    if ready:
        return
    tensors: dict[str, Tensor] = {}
    pickled = sorted(folder.glob(PICKLED))
    for path in pickled:
        try:
            tensors |= torch.load(path, map_location="cpu", weights_only=True)
        except (pickle.UnpicklingError, RuntimeError, EOFError, TypeError, ValueError) as error:
            raise InputError(
                f"{path}: these are no weights alone, or they are damaged; nothing else is unpickled"
            ) from error
    if not pickled:
        raise InputError(f"{folder}: the encoder has no weights, neither *.safetensors nor {PICKLED}")
    # clones: safetensors takes no two names for one piece of memory
    own = {name: t.contiguous().clone() for name, t in tensors.items() if isinstance(t, Tensor)}
    save_file(own, draft / "model.safetensors", metadata={"format": "pt"})
