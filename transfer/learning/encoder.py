"""The shared encoder: loaded from a folder in transformers format, run on packed sequences."""

import copy
import functools
import string
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedConfig, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from transfer.encoders import FAMILIES
from transfer.inputs import InputError
from transfer.learning.attention import ATTENTION, Packing
from transfer.learning.dropout import Noise, use_noise
from transfer.learning.native.layers import use_native

if TYPE_CHECKING:
    from transfer.learning.batches import Batch


def last_layer(
    model: Any, ids: Tensor, batch: "Batch", *, noise: Noise, only: Tensor | None = None
) -> Tensor:
    """The last layer's vectors [total, width] of a packed row; ``ids`` [1, total] are what its words take.

    Of a packed family ``ids`` may be the words' vectors [1, total, width] themselves. ``only`` [n]: the
    positions that are wanted, and the result is [n, width]; behind its attention the last layer then
    computes nothing else. Packed where the family allows it. Else the row's groups of like length go
    through the model one by one, padded: the numbers are the same.
    """
    config, family = model.config, FAMILIES[model.config.model_type]
    rows = {"inputs_embeds" if ids.is_floating_point() else "input_ids": ids}
    if getattr(config, "type_vocab_size", 0) > 1:  # else there are none, or one for all tokens
        rows["token_type_ids"] = batch.types
    if not family.packed:
        hidden = _padded(model, rows, batch.packing)
        return hidden if only is None else hidden.index_select(0, only)
    first = config.pad_token_id + 1 if family.positions_after_padding else 0
    rows["position_ids"] = batch.positions + first
    narrowed = only if family.tokenwise else None
    with nullcontext() if narrowed is None else _narrowed(model, narrowed):
        hidden = model(**rows, packing=batch.packing, noise=noise).last_hidden_state[0]
    return hidden if only is None or narrowed is not None else hidden.index_select(0, only)


@contextmanager
def _narrowed(model: Any, only: Tensor) -> Iterator[None]:
    """Behind the attention of the last layer the positions ``only`` [n] alone go on."""
    place = layers_of(model)[-1].get_submodule(FAMILIES[model.config.model_type].tokenwise)
    hook = place.register_forward_pre_hook(lambda _, rows: tuple(x.index_select(1, only) for x in rows))
    try:
        yield
    finally:
        hook.remove()


def layers_of(encoder: nn.Module) -> nn.ModuleList:
    """An encoder's layers, lowest first."""
    count = encoder.config.num_hidden_layers  # type: ignore[union-attr]
    return next(m for m in encoder.modules() if isinstance(m, nn.ModuleList) and len(m) == count)


def _padded(model: Any, rows: dict[str, Tensor], packing: Packing) -> Tensor:
    if packing.pad is not None:
        rows = {name: row.index_select(1, packing.pad) for name, row in rows.items()}
    hidden = []
    for group in packing.groups:
        here = slice(group.start, group.start + group.count * group.length)
        shape = group.count, group.length
        real = torch.ones(shape, device=rows["input_ids"].device)
        if group.bias is not None:
            real = (group.bias.view(shape) == 0).to(real.dtype)
        shown = {name: row[0, here].view(shape) for name, row in rows.items()}
        hidden.append(model(**shown, attention_mask=real).last_hidden_state.flatten(0, 1))
    vectors = torch.cat(hidden)
    return vectors if packing.unpad is None else vectors.index_select(0, packing.unpad)


def load(folder: Path, *, layers: int | None, dropout: float, noise: Noise) -> nn.Module:
    """A fresh copy of the encoder with packed attention; keeps its first ``layers`` layers.

    What ``encoders.locate`` checked is taken for granted. Raises InputError for weights that are not
    there (a missing pooler is no fault: not every encoder has one).
    """
    loaded = _loaded(folder, layers)
    words = loaded.get_input_embeddings().weight  # type: ignore[union-attr,operator]
    # the largest table is shared and never written to: a job cuts its own rows out of it
    model: Any = copy.deepcopy(loaded, {id(words): words})
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = dropout
        if hasattr(module, "attention_dropout"):  # ModernBERT's is a number
            module.attention_dropout = dropout  # type: ignore[assignment]
    use_noise(model, noise)
    if FAMILIES[model.config.model_type].native:
        for layer in layers_of(model):
            use_native(layer)
    return model


def table_of(folder: Path, layers: int | None) -> Tensor:
    """The encoder's word-piece table [size, width] as it was loaded; not to be written to."""
    return _loaded(folder, layers).get_input_embeddings().weight.detach()  # type: ignore[union-attr,operator]


@functools.lru_cache(maxsize=2)
def _loaded(folder: Path, layers: int | None) -> nn.Module:
    model, missing = loaded_as(AutoModel, folder, layers)
    lacking = [key for key in missing if not key.startswith("pooler.")]
    if lacking:
        more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
        raise InputError(f"{folder}: the encoder's weights lack {lacking[0]}{more}")
    if missing:
        model.pooler = None
    return model


def loaded_as(kind: Any, folder: Path, layers: int | None) -> tuple[Any, list[str]]:
    """Load a folder with one of transformers' Auto classes, in fp32; also return the missing weights."""
    config = config_of(folder, layers)
    if getattr(config, "attention_dropout", None) == 0:
        # ModernBERT makes no module for a dropout of 0; a job sets its own share
        config.attention_dropout = 0.1
    before = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()  # it would tell of the layers that are left out
    transformers_logging.disable_progress_bar()
    try:
        model, info = kind.from_pretrained(
            folder,
            config=config,
            attn_implementation=ATTENTION if FAMILIES[config.model_type].packed else None,
            dtype=torch.float32,
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    finally:
        transformers_logging.set_verbosity(before)
    return model, sorted(info["missing_keys"])


def config_of(folder: Path, layers: int | None) -> PreTrainedConfig:
    """The config of the encoder's first ``layers`` layers."""
    config = AutoConfig.from_pretrained(folder, local_files_only=True)
    if layers is not None:
        config.num_hidden_layers = layers
        if getattr(config, "layer_types", None):
            config.layer_types = config.layer_types[:layers]
    return config


@functools.lru_cache(maxsize=2)
def tokenizer_of(folder: Path) -> PreTrainedTokenizerBase:
    """The encoder's tokenizer."""
    return AutoTokenizer.from_pretrained(folder, local_files_only=True)


def check(folder: Path, *, layers: int | None, cased: bool | None = None) -> nn.Module:
    """Load an encoder and its tokenizer once, before any job does; return the encoder.

    Raises InputError where one of them is damaged or they do not fit together; where ``cased`` is given, also
    where the tokenizer takes capitals otherwise.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except MemoryError:
        raise
    except Exception as error:
        raise InputError(f"{folder}: the tokenizer cannot be loaded: {_first_line(error)}") from error
    _check_tokenizer(folder, tokenizer, cased=cased)
    try:
        # not through the cache: whoever starts workers need not hold a model
        model = _loaded.__wrapped__(folder, layers)
    except (MemoryError, InputError):
        raise
    except Exception as error:
        raise InputError(f"{folder}: the encoder cannot be loaded: {_first_line(error)}") from error
    pieces, rows = max(tokenizer.get_vocab().values()) + 1, len(model.get_input_embeddings().weight)  # type: ignore[operator,union-attr]
    if pieces > rows:
        raise InputError(
            f"{folder}: the tokenizer has {pieces} word pieces, the encoder's table only {rows} rows; "
            "they do not belong together"
        )
    return model


def _check_tokenizer(folder: Path, tokenizer: PreTrainedTokenizerBase, *, cased: bool | None) -> None:
    if not tokenizer.is_fast:
        raise InputError(
            f"{folder}: the tokenizer is none of the fast ones, which tell the word of a word piece; "
            "save it with a tokenizer.json"
        )

    def ids(text: str, **how: bool) -> list[int]:
        return tokenizer(text, **how)["input_ids"]  # type: ignore[return-value]

    letters = (i for letter in string.ascii_lowercase for i in ids(letter, add_special_tokens=False))
    if all(i == tokenizer.unk_token_id for i in letters):
        raise InputError(
            f"{folder}: the tokenizer ({type(tokenizer).__name__}) knows none of the letters a to z: "
            "its vocabulary is missing or was written for another tokenizer"
        )
    bare = ids("a", add_special_tokens=False)
    if not bare or ids("a")[1:-1] != bare:
        raise InputError(
            f"{folder}: the tokenizer does not put one token before a text and one behind it, as BERT's "
            "[CLS] and [SEP]; the first is what a text is read from"
        )
    takes_capitals = ids("THE") != ids("the")
    if cased is not None and cased != takes_capitals:
        made, makes = ("with", "makes all letters small") if cased else ("without", "keeps capitals")
        raise InputError(
            f"{folder}: the encoder was trained {made} capitals, but its tokenizer {makes}; "
            "`transfer encoders convert` with the encoder's alias writes a folder that is right"
        )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
