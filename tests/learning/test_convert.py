"""Pickled weights become safetensors, and nothing in a pickle is ever run."""

import json
import os
import pickle
import re
import shutil
from pathlib import Path

import huggingface_hub
import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoTokenizer

from tests.conftest import LETTERS, WORDS
from transfer.encoders import locate
from transfer.inputs import InputError
from transfer.learning import encoder
from transfer.learning.convert import convert
from transfer.learning.dropout import Noise

ROOT = Path(__file__).parents[2]
CASED = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *WORDS, "THE", "Pain"]


@pytest.fixture
def pickled(tiny_encoder: Path, tmp_path: Path) -> Path:
    """A folder as those of 2019 are: a vocabulary, and weights under names that are no longer in use."""
    folder = tmp_path / "old"
    folder.mkdir()
    config = json.loads((tiny_encoder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({k: v for k, v in config.items() if k != "dtype"}))
    shutil.copyfile(tiny_encoder / "vocab.txt", folder / "vocab.txt")
    new = load_file(tiny_encoder / "model.safetensors")
    old = {
        "bert."
        + name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta"): w
        for name, w in new.items()
    }
    old["cls.predictions.decoder.weight"] = old["bert.embeddings.word_embeddings.weight"]
    torch.save(old, folder / "pytorch_model.bin")
    return folder


def test_pickled_weights_become_the_same_safetensors(pickled: Path, tiny_encoder: Path, tmp_path: Path):
    made = convert(str(pickled), tmp_path / "new")
    locate(str(made))
    ours, theirs = (
        encoder.load(folder, layers=None, dropout=0.0, noise=Noise()).state_dict()
        for folder in (made, tiny_encoder)
    )
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    # the masked-language-model head is kept for whoever trains on
    assert "cls.predictions.decoder.weight" in load_file(made / "model.safetensors")
    assert not list(made.glob("*.bin"))


def test_shards_are_put_together(pickled: Path, tmp_path: Path):
    weights = torch.load(pickled / "pytorch_model.bin", weights_only=True)
    (pickled / "pytorch_model.bin").unlink()
    names = sorted(weights)
    for i in (0, 1):
        part = {name: weights[name] for name in names[i::2]}
        torch.save(part, pickled / f"pytorch_model-0000{i + 1}-of-00002.bin")
    made = convert(str(pickled), tmp_path / "new")
    assert set(load_file(made / "model.safetensors")) == set(names)


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm",)


def test_a_pickle_that_holds_code_is_refused_and_not_run(pickled: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (pickled / "pytorch_model.bin").write_bytes(pickle.dumps({"a": Harmful()}, protocol=2))
    with pytest.raises(InputError, match=r"pytorch_model\.bin: these are no weights alone"):
        convert(str(pickled), tmp_path / "new")
    torch.save({"a": Harmful()}, pickled / "pytorch_model.bin")
    with pytest.raises(InputError, match="nothing else is unpickled"):
        convert(str(pickled), tmp_path / "new")
    assert not (tmp_path / "harm").exists()
    assert os.listdir(tmp_path) == ["old"]


def test_what_is_there_is_not_overwritten(pickled: Path, tmp_path: Path):
    (tmp_path / "new").mkdir()
    with pytest.raises(InputError, match="is there already"):
        convert(str(pickled), tmp_path / "new")
    assert not list((tmp_path / "new").iterdir())


def test_a_folder_without_weights(pickled: Path, tmp_path: Path):
    (pickled / "pytorch_model.bin").unlink()
    with pytest.raises(InputError, match="has no weights, neither"):
        convert(str(pickled), tmp_path / "new")


@pytest.mark.parametrize(("alias", "cased"), [("clinicalbert", True), ("bluebert-clinical", False)])
def test_an_alias_treats_capitals_as_it_was_trained(
    pickled: Path, tmp_path: Path, monkeypatch, alias: str, cased: bool
):
    """These repositories have no tokenizer settings, and a vocabulary alone makes all letters small."""
    table = torch.load(pickled / "pytorch_model.bin", weights_only=True)
    config = json.loads((pickled / "config.json").read_text())
    (pickled / "config.json").write_text(json.dumps({**config, "vocab_size": len(CASED)}))
    (pickled / "vocab.txt").write_text("\n".join(CASED))
    for name in ("bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight"):
        table[name] = torch.randn(len(CASED), 32)
    torch.save(table, pickled / "pytorch_model.bin")
    asked: list[str] = []
    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", lambda hub, **_: asked.append(hub) or str(pickled)
    )
    with pytest.raises(InputError, match=f"`transfer encoders convert {alias} --to DIR`"):
        locate(alias)
    made = convert(alias, tmp_path / "new")
    assert len(set(asked)) == 1
    tokens = AutoTokenizer.from_pretrained(made).tokenize("THE Pain")
    assert tokens == (["THE", "Pain"] if cased else ["the", "pain"])
    # the folder alone says so, whatever the name it goes by
    encoder.check(made, layers=None, cased=cased)
    if cased:
        with pytest.raises(
            InputError, match="trained with capitals, but its tokenizer makes all letters small"
        ):
            encoder.check(convert(str(pickled), tmp_path / "plain"), layers=None, cased=True)


def test_the_command(pickled: Path, tmp_path: Path, transfer):
    code, out, _ = transfer("encoders", "convert", pickled, "--to", tmp_path / "new")
    assert (code, out.split(":")[0]) == (0, str(tmp_path / "new"))
    code, _, err = transfer("encoders", "convert", pickled, "--to", tmp_path / "new")
    assert code == 2
    assert "is there already" in err


def test_the_command_of_the_guide(pickled: Path, tmp_path: Path, monkeypatch, transfer):
    """docs/grids.md: with a folder of the hub's form in the place of the download."""
    (command,) = re.findall(
        r"^transfer (encoders convert .+)$", (ROOT / "docs/grids.md").read_text(), flags=re.MULTILINE
    )
    vocabulary = (pickled / "vocab.txt").read_text().replace("[MASK]\na\n", "[MASK]\nT\n")
    (pickled / "vocab.txt").write_text(vocabulary)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(pickled))
    monkeypatch.chdir(tmp_path)
    code, _, err = transfer(*command.split())
    assert code == 0, err
    assert AutoTokenizer.from_pretrained(command.split()[-1]).tokenize("T") == ["T"]
