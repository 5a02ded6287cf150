"""An encoder's files are located and verified, without network access."""

import importlib.util
import json
import shutil
from pathlib import Path

import huggingface_hub
import pytest

from transfer import encoders
from transfer.encoders import ALIASES, locate
from transfer.inputs import InputError

ALIAS = ALIASES["minilm-l6"]


@pytest.fixture
def copy(tiny_encoder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_encoder, tmp_path / "copy"))


@pytest.fixture
def packaged() -> Path:
    """The folder of the real MiniLM, from its package."""
    spec = importlib.util.find_spec(ALIAS.package)
    assert spec is not None, "the default encoder's package is a dependency"
    return Path(spec.submodule_search_locations[0]) / ALIAS.folder


def test_the_alias_is_the_packaged_encoder(packaged: Path):
    found = locate("minilm-l6")
    assert found.folder == packaged
    assert found.fingerprint == locate(str(packaged)).fingerprint, (
        "an alias is another name, not another encoder"
    )


def test_other_weights_under_the_alias_are_refused(packaged: Path, tmp_path: Path, monkeypatch):
    broken = tmp_path / "model"
    shutil.copytree(packaged, broken, ignore=shutil.ignore_patterns("*.bin", "onnx", "openvino"))
    weights = broken / "model.safetensors"
    with weights.open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)
        file.seek(-1, 2)
        file.write(bytes([last[0] ^ 1]))
    monkeypatch.setattr(encoders, "_packaged", lambda alias: broken)
    with pytest.raises(InputError, match="these are not the weights of 'minilm-l6'") as caught:
        locate("minilm-l6")
    assert str(weights) in str(caught.value)


def test_a_folder(tiny_encoder: Path):
    found = locate(str(tiny_encoder))
    assert found.folder == tiny_encoder
    assert len(found.fingerprint) == 16


def test_a_fingerprint_is_the_same_in_another_place(tiny_encoder: Path, copy: Path):
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(
        json.dumps({**config, "transformers_version": "0", "_name_or_path": "/x"})
    )
    assert locate(str(copy)).fingerprint == locate(str(tiny_encoder)).fingerprint


@pytest.mark.parametrize("name", ["model.safetensors", "vocab.txt", "tokenizer.json"])
def test_a_fingerprint_follows_every_byte(tiny_encoder: Path, copy: Path, name: str):
    path = copy / name
    if not path.is_file():
        pytest.skip(f"this tokenizer has no {name}")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert locate(str(copy)).fingerprint != locate(str(tiny_encoder)).fingerprint


def test_a_fingerprint_follows_the_config(tiny_encoder: Path, copy: Path):
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "hidden_act": "relu"}))
    assert locate(str(copy)).fingerprint != locate(str(tiny_encoder)).fingerprint


@pytest.mark.parametrize(
    ("gone", "what"),
    [
        (["config.json"], "config.json is missing"),
        (["vocab.txt", "tokenizer.json", "tokenizer_config.json"], "tokenizer.json is missing"),
        (["model.safetensors"], "model.safetensors is missing"),
    ],
)
def test_a_folder_that_lacks_a_file(copy: Path, gone: list[str], what: str):
    for name in gone:
        (copy / name).unlink(missing_ok=True)
    with pytest.raises(InputError, match=what) as caught:
        locate(str(copy))
    assert str(caught.value).startswith(str(copy))


def test_pickled_weights_are_refused_with_the_mend(copy: Path):
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(InputError, match=r"are not loaded; `transfer encoders convert \S+copy --to DIR`"):
        locate(str(copy))


def test_a_family_that_does_not_train_in_bf16_is_refused_with_the_mend(copy: Path):
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps(config | {"model_type": "deberta"}))
    locate(str(copy))
    with pytest.raises(
        InputError, match="'deberta' does not train in bf16; set the recipe's precision to fp32"
    ):
        locate(str(copy), precision="bf16")


@pytest.mark.parametrize("text", ["{", "[]", "\N{LATIN SMALL LETTER E WITH ACUTE}"])
def test_a_config_that_is_none(copy: Path, text: str):
    (copy / "config.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"config\.json"):
        locate(str(copy))


@pytest.mark.parametrize("name", ["minilm", "minilm-16"])
def test_an_unknown_name_names_the_nearest_alias(name: str):
    with pytest.raises(InputError, match="did you mean 'minilm-l6'"):
        locate(name)


@pytest.mark.parametrize("name", ["./nothing", "/nowhere/at/all", "../x/y"])
def test_a_folder_that_is_not_there_is_not_asked_of_the_hub(name: str, monkeypatch):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *a, **k: pytest.fail("asked the hub"))
    with pytest.raises(InputError, match="no folder"):
        locate(name)


def test_a_hub_id_without_a_network(monkeypatch):
    def offline(hub_id, **_):
        raise OSError(f"no way to {hub_id}\nand more lines")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", offline)
    with pytest.raises(InputError) as caught:
        locate("someone/some-bert")
    assert str(caught.value).endswith("could not be had from the model hub: no way to someone/some-bert")


def test_a_hub_id_brings_no_code_and_no_pickle(tiny_encoder: Path, monkeypatch):
    asked = {}

    def download(hub_id, *, allow_patterns):
        asked[hub_id] = allow_patterns
        return str(tiny_encoder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    assert locate("someone/some-bert").folder == tiny_encoder
    patterns = asked["someone/some-bert"]
    assert not any(p.endswith((".bin", ".py", ".pt")) or p == "*" for p in patterns)


def test_the_alias_comes_from_the_hub_where_its_package_is_not(packaged: Path, monkeypatch):
    monkeypatch.setattr(encoders, "_packaged", lambda alias: None)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda hub_id, **_: str(packaged))
    assert locate("minilm-l6").folder == packaged
