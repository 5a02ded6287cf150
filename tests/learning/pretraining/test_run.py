"""Masked-language-model training: as transformers computes it, to the same end after any interruption."""

import itertools
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer

from tests.conftest import WORDS
from tests.families import write_family
from transfer.corpora.texts import Texts, read
from transfer.encoders import FAMILIES, locate
from transfer.inputs import InputError
from transfer.learning.pretraining import masked_model as masked
from transfer.learning.pretraining.masking import Masks, encode, held_out
from transfer.learning.pretraining.record import Request
from transfer.learning.pretraining.run import pretrain
from transfer.recipes import Recipe

ROOT = Path(__file__).parents[3]
RECIPE = Recipe(lr=5e-3, epochs=4, batch_size=8, max_length=24)


def notes() -> str:
    drugs, signs, others, parts = WORDS[20:23], WORDS[9:12], WORDS[24:27], WORDS[29:34]
    return "".join(
        f"the {drugs[i % 3]} treats {signs[i % 3]} in {parts[i % 5]} and {others[i % 3]} test {i}\n"
        for i in range(100)
    )


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Texts:
    path = tmp_path_factory.mktemp("text") / "notes.txt"
    path.write_text(notes())
    return read([path])


@pytest.fixture
def request_(tiny_encoder: Path) -> Request:
    return Request(encoder=str(tiny_encoder), recipe=RECIPE)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, tiny_encoder: Path, texts: Texts) -> Path:
    """An undisturbed run's folder. To be read, not written."""
    to = tmp_path_factory.mktemp("made") / "domain"
    return pretrain(Request(encoder=str(tiny_encoder), recipe=RECIPE), texts, to)


def result_of(folder: Path) -> dict:
    return json.loads((folder / "pretraining.json").read_text())


def plain_likelihood(folder: Path, texts: Texts) -> float:
    """The mean log-likelihood of dev's hidden pieces, by transformers alone, text by text."""
    model, tokenizer = (
        AutoModelForMaskedLM.from_pretrained(folder).eval(),
        AutoTokenizer.from_pretrained(folder),
    )
    total = count = 0
    for batch in held_out(
        encode(texts.dev, tokenizer, max_length=24), Masks(tokenizer), device=torch.device("cpu")
    ):
        ids = batch.rows[batch.ids][0]
        starts = [*(batch.positions[0] == 0).nonzero().flatten().tolist(), len(ids)]
        targets = torch.full_like(ids, -100)
        targets[batch.read] = batch.targets
        for a, b in itertools.pairwise(starts):
            with torch.no_grad():
                loss = model(input_ids=ids[None, a:b], labels=targets[None, a:b]).loss
            read = int((targets[a:b] >= 0).sum())
            total, count = total - float(loss) * read, count + read
    return total / count


@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_is_that_of_transformers(tmp_path: Path, texts: Texts, family: str):
    folder = write_family(tmp_path / "from", family)
    model, fresh = masked.load(folder, layers=None, recipe=RECIPE, seed=1, freeze=False)
    assert fresh
    model.whole.save_pretrained(tmp_path / "to")
    AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path / "to")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    dev = held_out(encode(texts.dev, tokenizer, max_length=24), Masks(tokenizer), device=torch.device("cpu"))
    assert masked.likelihood(model, dev) == pytest.approx(plain_likelihood(tmp_path / "to", texts), abs=2e-5)
    # with a head in the folder none is fresh, and it is the one that was saved
    again, fresh = masked.load(tmp_path / "to", layers=None, recipe=RECIPE, seed=2, freeze=False)
    assert not fresh
    assert masked.likelihood(again, dev) == pytest.approx(masked.likelihood(model, dev), abs=1e-6)


def test_dev_perplexity_falls_and_is_what_plain_transformers_measures(made: Path, texts: Texts):
    looks = result_of(made)["looks"]
    assert [look["step"] for look in looks] == [0, 12, 24, 36, 48]
    best = min(looks[1:], key=lambda look: look["dev_perplexity"])
    assert best["dev_perplexity"] < looks[0]["dev_perplexity"] / 3
    assert best["step"] == result_of(made)["chosen_step"]

    assert math.exp(-plain_likelihood(made, texts)) == pytest.approx(best["dev_perplexity"], rel=1e-4)


def test_the_best_look_is_kept_not_the_last(texts: Texts, request_: Request, tmp_path: Path, monkeypatch):
    """With a fake measure, after which the second of four rounds is the best."""
    likelihoods, seen = iter([-1.0, -4.0, -2.0, -3.0, -5.0]), []

    def fake(model, _) -> float:
        seen.append(model.state_dict()["whole.bert.embeddings.word_embeddings.weight"].clone())
        return next(likelihoods)

    monkeypatch.setattr(masked, "likelihood", fake)
    to = pretrain(request_, texts, tmp_path / "to")
    assert result_of(to)["chosen_step"] == 24, "what was before training is no choice"
    kept = load_file(to / "model.safetensors")["bert.embeddings.word_embeddings.weight"]
    assert [torch.equal(kept, words) for words in seen] == [False, False, True, False, False]


def test_the_folder_loads_with_nothing_missing(made: Path, tiny_encoder: Path):
    for kind in (AutoModel, AutoModelForMaskedLM):
        _, info = kind.from_pretrained(made, output_loading_info=True)
        assert not info["missing_keys"]
    ours, theirs = AutoModel.from_pretrained(made), AutoModel.from_pretrained(tiny_encoder)
    assert torch.equal(ours.pooler.dense.weight, theirs.pooler.dense.weight), (
        "no hidden word is read through it"
    )
    moved = [n for n, w in ours.named_parameters() if not torch.equal(w, theirs.get_parameter(n))]
    assert "embeddings.word_embeddings.weight" in moved
    assert len(moved) == len(list(ours.parameters())) - 2
    same = ("vocab.txt", "tokenizer.json", "tokenizer_config.json")
    assert all(
        (made / n).read_bytes() == (tiny_encoder / n).read_bytes() for n in same if (made / n).exists()
    )
    assert json.loads((made / "config.json").read_text())["architectures"] == ["BertForMaskedLM"]
    assert "head is fresh" not in (made / "README.md").read_text()
    assert "says nothing of the encoder" in (made / "README.md").read_text()


def test_training_goes_on_from_a_result(made: Path, texts: Texts, request_: Request, tmp_path: Path):
    """The head is kept: the perplexity that one run ends with is the one that the next begins with."""
    pretrain(replace(request_, encoder=str(made), steps=2), texts, tmp_path / "on")
    first, before = result_of(tmp_path / "on"), result_of(made)
    ended = min(look["dev_perplexity"] for look in before["looks"][1:])
    assert first["looks"][0]["dev_perplexity"] == pytest.approx(ended, rel=1e-5)
    assert first["encoder"]["fresh_head"] is False
    assert [look["step"] for look in first["looks"]] == [0, 2]


class Stopped(Exception):
    pass


def stopping_at(line: str) -> Callable[[str], None]:
    def tell(told: str) -> None:
        if told.startswith(line):
            raise Stopped

    return tell


@pytest.mark.parametrize("line", ["step      0", "step     12", "step     24", "step     48"])
def test_a_run_that_was_stopped_ends_with_the_same_bytes(
    made: Path, texts: Texts, request_: Request, tmp_path: Path, line: str
):
    with pytest.raises(Stopped):
        pretrain(request_, texts, tmp_path / "domain", checkpoint_seconds=0, tell=stopping_at(line))
    assert not (tmp_path / "domain").exists()
    told: list[str] = []
    pretrain(request_, texts, tmp_path / "domain", checkpoint_seconds=0, tell=told.append)
    if line == "step     48":  # the checkpoint follows what is told: one round is done again
        assert [t[:11] for t in told if t.startswith("step")] == ["step      0", "step     48"]
    assert (tmp_path / "domain/model.safetensors").read_bytes() == (made / "model.safetensors").read_bytes()
    assert result_of(tmp_path / "domain")["looks"] == result_of(made)["looks"]
    assert os.listdir(tmp_path) == ["domain"], "nothing unfinished is left"


@pytest.mark.slow
def test_a_run_that_was_killed_ends_with_the_same_bytes(made: Path, tiny_encoder: Path, tmp_path: Path):
    (tmp_path / "notes.txt").write_text(notes())
    words = ["encoders", "pretrain", "--encoder", tiny_encoder, "--text", "notes.txt", "--to", "domain",
             "--epochs", 4, "--lr", 5e-3, "--batch-size", 8, "--max-length", 24,
             "--checkpoint-seconds", 0]  # fmt: skip
    command = [sys.executable, "-c", "from transfer.cli import main; main()", *map(str, words)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        for line in run.stdout:
            if line.startswith("step     24"):
                time.sleep(0.05)
                run.send_signal(signal.SIGKILL)
                break
    assert (tmp_path / "domain.unfinished/checkpoints/run/state.json").is_file()
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)
    assert "step     12" not in done.stdout, "it goes on, it does not begin anew"
    assert (tmp_path / "domain/model.safetensors").read_bytes() == (made / "model.safetensors").read_bytes()


def test_what_is_there_is_not_overwritten(made: Path, texts: Texts, request_: Request, tmp_path: Path):
    there = Path(shutil.copytree(made, tmp_path / "domain"))
    told: list[str] = []
    assert pretrain(request_, texts, there, tell=told.append) == there
    assert told == [f"{there}: is there already, made by this very command; nothing to do"]
    with pytest.raises(InputError, match=r"made otherwise \(seed 0, now 1\); nothing is overwritten"):
        pretrain(replace(request_, seed=1), texts, there)
    (there / "pretraining.json").unlink()
    with pytest.raises(InputError, match="is there already; nothing is overwritten"):
        pretrain(request_, texts, there)
    assert sorted(os.listdir(tmp_path)) == ["domain"]


def test_an_unfinished_run_is_finished_by_its_own_command_only(
    texts: Texts, request_: Request, tmp_path: Path
):
    with pytest.raises(Stopped):
        pretrain(request_, texts, tmp_path / "domain", tell=stopping_at("step      0"))
    with pytest.raises(
        InputError, match=r"domain\.unfinished: is of another run \(whole_words False, now True\)"
    ):
        pretrain(replace(request_, whole_words=True), texts, tmp_path / "domain")
    (tmp_path / "other.unfinished").mkdir()
    (tmp_path / "other.unfinished" / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="is in the way"):
        pretrain(request_, texts, tmp_path / "other")


def test_a_frozen_encoder_stays_as_it_is(texts: Texts, request_: Request, tiny_encoder: Path, tmp_path: Path):
    to = pretrain(replace(request_, freeze=True), texts, tmp_path / "head")
    ours, theirs = AutoModel.from_pretrained(to), AutoModel.from_pretrained(tiny_encoder)
    assert all(torch.equal(w, theirs.get_parameter(n)) for n, w in ours.named_parameters())
    looks = result_of(to)["looks"]
    assert looks[-1]["dev_perplexity"] < looks[0]["dev_perplexity"]
    assert "The encoder was frozen" in (to / "README.md").read_text()


def test_the_first_layers(texts: Texts, request_: Request, tmp_path: Path):
    to = pretrain(replace(request_, layers=1, steps=1, whole_words=True), texts, tmp_path / "one")
    assert AutoModel.from_pretrained(to).config.num_hidden_layers == 1
    locate(str(to), layers=1)


def test_randomness_is_the_seed_alone(texts: Texts, request_: Request, tmp_path: Path):
    weights = []
    for i, seed in enumerate((7, 7, 8)):
        torch.manual_seed(i)
        state = torch.get_rng_state()
        to = pretrain(replace(request_, steps=1, seed=seed), texts, tmp_path / str(i))
        assert torch.equal(torch.get_rng_state(), state)
        weights.append((to / "model.safetensors").read_bytes())
    assert weights[0] == weights[1] != weights[2]


def test_a_grid_uses_the_result(made: Path, tiny_corpora: Path, tmp_path: Path, transfer):
    grid = {
        "name": "after", "corpora": str(tiny_corpora), "tasks": ["rel", "ner"], "encoder": str(made),
        "recipe": {"base": "quick", "epochs": 1}, "jobs": ["single", "pairs"], "seeds": 1,
    }  # fmt: skip
    (tmp_path / "after.yaml").write_text(json.dumps(grid))
    where = ["--store", tmp_path / "runs", "--out", tmp_path / "reports"]
    code, _, err = transfer("run-grid", tmp_path / "after.yaml", *where, "--executor", "inline")
    assert code == 0, err
    (result, *others) = [json.loads(p.read_text()) for p in (tmp_path / "runs/jobs").glob("*/result.json")]
    assert len(others) == 2
    assert result["job"]["encoder_fingerprint"] == locate(str(made)).fingerprint


def test_a_tokenizer_without_a_mask_token(
    texts: Texts, request_: Request, tiny_encoder: Path, tmp_path: Path
):
    copy = Path(shutil.copytree(tiny_encoder, tmp_path / "copy"))
    tokenizer = AutoTokenizer.from_pretrained(copy)
    tokenizer.mask_token = None
    tokenizer.save_pretrained(copy)
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        if (copy / name).is_file():
            said = json.loads((copy / name).read_text())
            (copy / name).write_text(json.dumps({**said, "mask_token": None}))
    with pytest.raises(InputError, match="the tokenizer has no mask token"):
        pretrain(replace(request_, encoder=str(copy)), texts, tmp_path / "to")
    assert os.listdir(tmp_path) == ["copy"]


def test_a_head_of_which_a_part_is_missing(made: Path, texts: Texts, request_: Request, tmp_path: Path):
    copy = Path(shutil.copytree(made, tmp_path / "copy"))
    weights = load_file(copy / "model.safetensors")
    weights.pop("cls.predictions.transform.dense.weight")
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(
        InputError, match=r"of the masked-language-model head cls\.\S*dense\.weight is missing"
    ):
        pretrain(replace(request_, encoder=str(copy)), texts, tmp_path / "to")


def test_the_command_of_the_guide(
    tiny_corpora: Path, tiny_encoder: Path, tmp_path: Path, transfer, monkeypatch
):
    """docs/pretraining.md, with a tiny encoder and few steps."""
    page = (ROOT / "docs" / "pretraining.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```sh\n(.*?)^```$", page, flags=re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text(notes())
    shutil.copytree(tiny_corpora, tmp_path / "my-corpora")
    shutil.copytree(tiny_encoder, tmp_path / "minilm-l6")
    monkeypatch.setattr("transfer.encoders.ALIASES", {})  # so that the name is that of the folder
    for command in block.splitlines():
        program, *words = command.partition("#")[0].split()
        assert program == "transfer"
        code, out, err = transfer(*words, "--steps", 2, "--max-length", 24)
        assert code == 0, err
        to = words[words.index("--to") + 1]
        assert f"a grid names it with `encoder: {to}`" in out
        locate(to)


def test_the_command(tiny_encoder: Path, tmp_path: Path, transfer, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = notes().splitlines(keepends=True)
    for name, own in (("a.txt", lines[:50]), ("b.txt", lines[50:])):
        (tmp_path / name).write_text("".join(own))
    small = ["--encoder", tiny_encoder, "--steps", 2, "--batch-size", 8, "--max-length", 24]
    code, out, _ = transfer("encoders", "pretrain", *small, "--to", "new", "--text", "a.txt", "b.txt")
    assert code == 0
    assert "text: 95 texts of 95 documents to train on, 5 of 5 held out as dev" in out
    assert "step      2  epoch   0.17  loss " in out
    assert out.endswith("a grid names it with `encoder: new`\n")
    for words, message in (
        (["--text", "a.txt", "--lr", "0"], "'lr': should be greater than 0"),
        (["--text", "a.txt", "--precision", "fp8"], "precision"),
        (["--text", "a.txt", "--max-length", 300], "takes 160 word pieces at most"),
        (["--text", "a.txt", "--layers", 9], "has 2 layers, not 9"),
        (["--text", "c.txt"], "c.txt: there is no such text"),
        (["--text", "a.txt", "--whole-word"], "No such option"),
        ([], "--text"),
    ):
        code, _, err = transfer("encoders", "pretrain", *small, "--to", "other", *words)
        assert (code, message in err) == (2, True), err
    assert sorted(os.listdir(tmp_path)) == ["a.txt", "b.txt", "new"]
