"""Encoders and tokenizers that cannot be trained with: one message before any job, never a traceback."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from tests.families import write_family
from transfer.encoders import FAMILIES, locate
from transfer.inputs import InputError
from transfer.learning import encoder


@pytest.fixture
def copy(tiny_encoder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_encoder, tmp_path / "copy"))


def vocabulary_grows(folder: Path) -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).unlink()
    with (folder / "vocab.txt").open("a") as file:
        file.write("\nplacebo\nstent")


def vocabulary_of_another_family(folder: Path) -> None:
    """A RoBERTa tokenizer's settings beside a BERT vocabulary: transformers would make one of five pieces."""
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "RobertaTokenizer"}')


def no_first_and_last_token(folder: Path) -> None:
    raw = json.loads((folder / "tokenizer.json").read_text())
    vocabulary = {piece: i for i, piece in enumerate((folder / "vocab.txt").read_text().split("\n"))}
    assert raw["post_processor"]
    plain = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=plain, unk_token="[UNK]").save_pretrained(folder)


def only_a_last_token(folder: Path) -> None:
    no_first_and_last_token(folder)
    plain = Tokenizer.from_file(str(folder / "tokenizer.json"))
    end = ("[SEP]", plain.token_to_id("[SEP]"))
    plain.post_processor = processors.TemplateProcessing(single="$A [SEP]", special_tokens=[end])
    plain.save(str(folder / "tokenizer.json"))


def tokenizer_is_no_json(folder: Path) -> None:
    (folder / "tokenizer.json").write_text("{")


def weights_are_cut_short(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


def weights_are_no_safetensors(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"no weights at all")


def a_layer_is_missing(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    kept = {name: w for name, w in weights.items() if ".layer.1." not in name}
    save_file(kept, folder / "model.safetensors", metadata={"format": "pt"})


def weights_of_another_width(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "intermediate_size": 128}))


MISFITS: dict[Callable[[Path], None], str] = {
    vocabulary_grows: "the tokenizer has 119 word pieces, the encoder's table only 117 rows",
    vocabulary_of_another_family: r"\(RobertaTokenizer\) knows none of the letters a to z",
    no_first_and_last_token: "does not put one token before a text and one behind it",
    only_a_last_token: "does not put one token before a text and one behind it",
    tokenizer_is_no_json: "the tokenizer cannot be loaded",
    weights_are_cut_short: "the encoder cannot be loaded",
    weights_are_no_safetensors: "the encoder cannot be loaded",
    a_layer_is_missing: "the encoder's weights lack encoder.layer.1.*and 15 more",
    weights_of_another_width: "the encoder cannot be loaded",
}


@pytest.mark.parametrize(("spoil", "what"), MISFITS.items(), ids=lambda v: getattr(v, "__name__", ""))
def test_what_does_not_fit_is_named(copy: Path, spoil: Callable[[Path], None], what: str):
    spoil(copy)
    with pytest.raises(InputError, match=what) as caught:
        encoder.check(copy, layers=None)
    assert str(caught.value).startswith(f"{copy}: ")
    assert "\n" not in str(caught.value)


def test_a_run_stops_before_its_first_job(copy: Path, tiny_grid: Path, tmp_path: Path, transfer):
    vocabulary_grows(copy)
    store = tmp_path / "runs"
    code, _, err = transfer(
        "run-grid", tiny_grid, "--set", f"encoder={copy}", "--store", store, "--executor", "inline"
    )
    assert code == 2
    assert f"error: --set encoder={copy}: {copy}: the tokenizer has 119 word pieces" in err
    assert not (store / "jobs").exists()


def test_an_unknown_family_names_those_that_are_known(copy: Path):
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "model_type": "t5"}))
    with pytest.raises(InputError) as caught:
        locate(str(copy))
    assert str(caught.value).endswith("of the family 't5'; the known ones are " + ", ".join(FAMILIES))


def test_settings_alone_are_no_tokenizer(copy: Path):
    """Transformers would make a tokenizer of five pieces, to which every word is unknown."""
    for name in ("tokenizer.json", "vocab.txt"):
        (copy / name).unlink()
    with pytest.raises(InputError, match=r"no tokenizer, tokenizer\.json is missing"):
        locate(str(copy))


def test_byte_level_pieces_need_their_merges(copy: Path):
    for name in ("tokenizer.json", "vocab.txt"):
        (copy / name).unlink()
    (copy / "vocab.json").write_text("{}")
    with pytest.raises(InputError, match=r"merges\.txt is missing"):
        locate(str(copy))


def test_a_shard_that_is_missing(copy: Path):
    (copy / "model.safetensors").rename(copy / "model-00001-of-00002.safetensors")
    shards = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (copy / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    with pytest.raises(InputError, match=r"model-00002-of-00002\.safetensors is missing"):
        locate(str(copy))


def test_whether_capitals_are_kept_is_in_the_fingerprint(copy: Path):
    (copy / "tokenizer.json").unlink()
    found = set()
    for lower in (True, False):
        (copy / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lower}))
        found.add(locate(str(copy)).fingerprint)
    assert len(found) == 2


@pytest.mark.parametrize("key", ["do_lower_case", "strip_accents"])
def test_settings_that_overrule_the_tokenizer_are_in_the_fingerprint(
    copy: Path, tiny_encoder: Path, key: str
):
    settings = json.loads((copy / "tokenizer_config.json").read_text())
    as_it_was = locate(str(tiny_encoder)).fingerprint
    for value, overrules in ((settings[key], False), (False, True)):
        (copy / "tokenizer_config.json").write_text(json.dumps({**settings, key: value}))
        assert (locate(str(copy)).fingerprint != as_it_was) == overrules
    # the reason: transformers follows the settings, not tokenizer.json
    tokenizer = AutoTokenizer.from_pretrained(copy)
    assert tokenizer.tokenize("PAÍN") != AutoTokenizer.from_pretrained(tiny_encoder).tokenize("PAÍN")
    (copy / "tokenizer_config.json").unlink()
    assert locate(str(copy)).fingerprint == as_it_was, "settings that only agree add nothing"


@pytest.mark.parametrize(("family", "most"), [("roberta", 158), ("bert", 160), ("modernbert", 160)])
def test_the_longest_sequence_that_a_family_takes(tmp_path: Path, family: str, most: int):
    folder = write_family(tmp_path / family, family)
    locate(str(folder), pieces=most)
    with pytest.raises(InputError, match=f"takes {most} word pieces at most"):
        locate(str(folder), pieces=most + 1)


def test_layers_are_counted_in_every_family(tmp_path: Path):
    for family in FAMILIES:
        folder = write_family(tmp_path / family, family)
        locate(str(folder), layers=3)
        with pytest.raises(InputError, match="has 3 layers, not 4"):
            locate(str(folder), layers=4)
