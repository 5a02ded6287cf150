"""Exported models: plain transformers in a fresh process gives the predictions in the store."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel

from tests.families import write_family
from tests.learning.jobs import job_of
from transfer import encoders
from transfer.corpora import load
from transfer.corpora.base import Card
from transfer.inputs import InputError
from transfer.jobs import Encoder, Job
from transfer.learning.export import card as cards
from transfer.learning.export.read import SENTENCES, TOKENS, open_model, record_of
from transfer.learning.export.write import export, plain
from transfer.learning.run import run
from transfer.learning.worker_data import Site
from transfer.recipes import Recipe
from transfer.records import CorpusRecord
from transfer.store import Store
from transfer.tasks import task_of

KINDS = ("long-ner", "topics", "rel", "sim", "entails")
# short sequences, so that pairs are cut and parts of a tagger's sentence halved
RECIPE = Recipe(lr=3e-3, epochs=14, batch_size=8, max_length=28, dropout=0.0)


def long_rows(split: str, count: int) -> list[dict]:
    """Sentences of up to 67 tokens; some are control characters alone, some longer than a sequence.

    A cough is a sign by its neighbours and place alone, so that it matters how a sentence is divided.
    """
    rows = []
    for i in range(count):
        coughs = i * 7 % 60
        tokens = ["patient", "severe", "pain", *["cough", "has", "cough", "and"] * (coughs // 4), "\u200b"]
        tokens += ["x" * (1 + 5 * i)]
        signs = [
            ["O", "O", "B-Sign", "O"] if at % 3 else ["B-Sign", "O", "O", "O"] for at in range(coughs // 4)
        ]
        tags = ["O", "B-Sign", "I-Sign", *(tag for four in signs for tag in four), "O", "O"]
        rows.append({"id": f"{split}{i}", "tokens": tokens, "tags": tags})
    return rows


def topic_rows(split: str, count: int) -> list[dict]:
    """None, one or both of two labels."""
    rows = []
    for i in range(count):
        labels = [label for label, on in (("x", i % 2), ("y", i % 4 > 1)) if on]
        text = f"{'fever' if 'x' in labels else 'scan'} {'asthma' if 'y' in labels else 'knee'}"
        rows.append({"id": f"{split}{i}", "text": text, "labels": labels})
    return rows


def pair_rows(split: str, count: int) -> list[dict]:
    """Pairs, most of them longer than a sequence."""
    rows = []
    for i in range(count):
        first = " ".join([("fever", "asthma")[i % 2]] * (2 + i % 20))
        second = " ".join(["knee"] * (1 + i % 4))
        rows.append({"id": f"{split}{i}", "text_a": first, "text_b": second, "label": "yn"[i % 2]})
    return rows


def score_rows(split: str, count: int) -> list[dict]:
    """Pairs of which either text may be the one that is cut."""
    rows = []
    for i in range(count):
        first, second = "old pain " * (1 + i * 5 % 16), "new fever " * (1 + i * 7 % 16)
        rows.append({"id": f"{split}{i}", "text_a": first, "text_b": second, "score": i * 5 % 16 / 4})
    return rows


@dataclass(frozen=True)
class Trial:
    """Kept models: one job of every kind together, one single job, one fine-tuned child."""

    store: Store
    site: Site
    joint: Job
    single: Job
    child: Job


@pytest.fixture(scope="module")
def trial(tmp_path_factory, tiny_corpora: Path, tiny_encoder: Path, write_corpus) -> Trial:
    folder = tmp_path_factory.mktemp("export")
    shutil.copytree(tiny_corpora, folder / "corpora")
    sizes = {"train": 24, "dev": 12, "test": 14}
    ner = {
        "name": "long-ner",
        "kind": "tagging",
        "metric": "span_f1",
        "entities": ["Sign"],
        "licence": "CC BY-NC 4.0",
    }
    write_corpus(folder / "corpora", ner, {split: long_rows(split, n) for split, n in sizes.items()})
    pairs = {
        "name": "entails",
        "kind": "classification",
        "metric": "accuracy",
        "labels": ["y", "n"],
        "pair": True,
    }
    pairs["licence"] = "data use agreement"
    write_corpus(folder / "corpora", pairs, {split: pair_rows(split, n) for split, n in sizes.items()})
    shutil.rmtree(folder / "corpora" / "sim")
    sim = {"name": "sim", "kind": "similarity", "metric": "pearson", "pair": True}
    write_corpus(folder / "corpora", sim, {split: score_rows(split, n) for split, n in sizes.items()})
    topics = {"name": "topics", "kind": "multilabel", "metric": "example_f1", "labels": ["x", "y"]}
    write_corpus(folder / "corpora", topics, {split: topic_rows(split, n) for split, n in sizes.items()})
    site = Site(store=folder / "runs", corpora=str(folder / "corpora"), encoder=tiny_encoder)
    joint, single = job_of(site, *KINDS, recipe=RECIPE), job_of(site, "rel", recipe=RECIPE)
    child = job_of(site, "rel", recipe=RECIPE, parent=joint)
    site = site.model_copy(update={"keep": frozenset(job.id for job in (joint, single, child))})
    for job in (joint, single, child):
        result = run(job, site, keep_encoder=job is joint)
        assert result.status == "done", result.error
    return Trial(Store(site.store), site, joint, single, child)


def stored(trial: Trial, job: Job, name: str) -> list[Any]:
    rows = trial.store.predictions(job.id)
    return [json.loads(value) for value in rows.loc[rows["corpus"] == name, "predicted"]]


def agree(mine: list[Any], kept: list[Any], kind: str) -> None:
    if kind == "similarity":
        assert mine == pytest.approx(kept, abs=1e-4)
    else:
        assert [list(one) for one in mine] == [list(one) for one in kept]


FRESH = """
import json, os, re, sys
asked = json.load(sys.stdin)
for folder, calls in asked.items():
    os.chdir(folder)
    code = re.search(r"```python\\n(.*?)```", open("README.md").read(), re.S).group(1)
    space = {}
    exec(code, space)
    print(json.dumps([space["predict"](*call) for call in calls]))
assert "transfer" not in sys.modules
"""


def test_plain_transformers_in_a_fresh_process_gives_the_predictions_in_the_store(
    trial: Trial, tmp_path: Path
):
    """By the code in the model card, one example at a time, for every kind."""
    export(trial.store, trial.joint.id, to=tmp_path / "joint")
    export(trial.store, trial.single.id, to=tmp_path / "single")
    export(trial.store, trial.child.id, to=tmp_path / "child")
    where = {tmp_path / "joint" / name: (trial.joint, name) for name in KINDS}
    where |= {tmp_path / "single": (trial.single, "rel"), tmp_path / "child": (trial.child, "rel")}
    corpora = {c.name: c for c in load(trial.site.corpora, KINDS)}
    asked = {
        str(folder): [
            [list(e.text)] if corpora[name].card.kind == "tagging" else list(e.text)
            for e in corpora[name].test
        ]
        for folder, (_, name) in where.items()
    }
    shell = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | {"OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [sys.executable, "-I", "-c", FRESH],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        env=shell,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    for line, (job, name) in zip(ran.stdout.splitlines(), where.values(), strict=True):
        kept = stored(trial, job, name)
        assert len({json.dumps(value) for value in kept}) > 1, f"{name} predicts one thing for all"
        agree(json.loads(line), kept, corpora[name].card.kind)


def test_predict_gives_the_predictions_in_the_store(trial: Trial, transfer, tmp_path: Path):
    export(trial.store, trial.joint.id, to=tmp_path / "m")
    keys = {"similarity": "score", "classification": "label", "tagging": "tags", "multilabel": "labels"}
    for corpus in load(trial.site.corpora, KINDS):
        file = Path(trial.site.corpora) / corpus.name / "test.jsonl"
        code, out, err = transfer("models", "predict", tmp_path / "m" / corpus.name, file)
        assert code == 0, err
        cut = "more than 28 subword tokens" in " ".join(err.split())
        assert cut == (corpus.name == "sim"), "the other test splits have no text of so many words"
        assert "indexing errors" not in err, "a long sentence of a tagger is divided"
        rows = [json.loads(line) for line in out.splitlines()]
        assert [row["id"] for row in rows] == [e.id for e in corpus.test]
        kind = corpus.card.kind
        agree([row[keys[kind]] for row in rows], stored(trial, trial.joint, corpus.name), kind)


def test_one_task_is_the_folder_itself(trial: Trial, tmp_path: Path):
    (tmp_path / "m").mkdir()  # an empty folder will do
    (record,) = export(trial.store, trial.joint.id, to=tmp_path / "m", task="sim")
    assert record == record_of(tmp_path / "m")
    assert {path.suffix for path in (tmp_path / "m").iterdir()} <= {".json", ".safetensors", ".txt", ".md"}
    assert [path.name for path in tmp_path.iterdir()] == ["m"], "no draft stays"
    config = json.loads((tmp_path / "m" / "config.json").read_text())
    assert config["architectures"] == ["BertForSequenceClassification"]
    assert (config["problem_type"], len(config["id2label"])) == ("regression", 1)
    for path in (tmp_path / "m").iterdir():
        assert str(trial.site.encoder).encode() not in path.read_bytes(), (
            f"{path.name} tells a place of this machine"
        )


def test_labels_and_problems_are_in_the_configuration(trial: Trial, tmp_path: Path):
    export(trial.store, trial.joint.id, to=tmp_path / "m")
    found = {name: json.loads((tmp_path / "m" / name / "config.json").read_text()) for name in KINDS}
    labels = {name: list(config["id2label"].values()) for name, config in found.items()}
    assert labels["rel"] == ["good", "bad", "none"]
    assert labels["long-ner"] == ["O", "B-Sign", "I-Sign"]
    assert labels["topics"] == ["x", "y"]
    assert found["topics"]["problem_type"] == "multi_label_classification"
    assert found["long-ner"]["architectures"] == ["BertForTokenClassification"]


def test_nothing_is_written_over(trial: Trial, tmp_path: Path):
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "mine.txt").write_text("mine")
    for place in (tmp_path / "m", tmp_path / "m" / "mine.txt"):
        with pytest.raises(InputError, match="is there already; nothing was written"):
            export(trial.store, trial.single.id, to=place)
    assert [path.name for path in tmp_path.rglob("*")] == ["m", "mine.txt"]
    assert (tmp_path / "m" / "mine.txt").read_text() == "mine"


def test_a_broken_export_leaves_nothing(trial: Trial, tmp_path: Path, monkeypatch):
    def broken(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cards, "text", broken)
    with pytest.raises(OSError, match="No space"):
        export(trial.store, trial.single.id, to=tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_what_was_changed_or_is_missing_is_named(trial: Trial, tmp_path: Path):
    export(trial.store, trial.single.id, to=tmp_path / "m")
    config = tmp_path / "m" / "config.json"
    config.write_text(config.read_text().replace('"good"', '"fine"'))
    with pytest.raises(InputError, match=re.escape("config.json: was changed after it was exported")):
        open_model(tmp_path / "m")
    (tmp_path / "m" / "model.safetensors").unlink()
    config.write_text(config.read_text().replace('"fine"', '"good"'))
    with pytest.raises(InputError, match=re.escape("model.safetensors: is missing")):
        open_model(tmp_path / "m")
    for text, what in (
        ("{}", r"transfer\.json: the key 'transfer' is missing; export the job again"),
        ("[]", r"transfer\.json: is not JSON as export writes it; export the job again"),
        ("{", r"transfer\.json: is not JSON as export writes it; export the job again"),
    ):
        (tmp_path / "m" / "transfer.json").write_text(text)
        with pytest.raises(InputError, match=what):
            open_model(tmp_path / "m")
    with pytest.raises(InputError, match="is no exported model"):
        open_model(trial.site.encoder)
    with pytest.raises(InputError, match="no such folder"):
        open_model(tmp_path / "nothing")


def test_what_does_not_fit_the_record_is_said_without_internals(trial: Trial, tmp_path: Path, transfer):
    """Other weights and another family behind matching hashes: what a bad copy and a new hash leave."""
    folder = tmp_path / "m"
    export(trial.store, trial.single.id, to=folder)
    (tmp_path / "a.txt").write_text("aspirin\n")
    record, weights = (
        json.loads((folder / "transfer.json").read_text()),
        load_file(folder / "model.safetensors"),
    )

    def message(**changed: Any) -> str:
        for name in ("config.json", "model.safetensors"):
            record["sha256"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
        (folder / "transfer.json").write_text(json.dumps(record | changed))
        code, out, err = transfer("models", "predict", folder, tmp_path / "a.txt")
        assert (code, out) == (2, "")
        assert not re.search(r"Traceback|torch|transfer\.learning|state_dict|[a-z]Error", err), err
        return err

    save_file({**weights, "classifier.weight": torch.zeros(7, 3)}, folder / "model.safetensors")
    assert "does not hold the weights that transfer.json describes; export the job again" in message()
    save_file({**weights, "classifier.bias": torch.full((3,), torch.nan)}, folder / "model.safetensors")
    assert "the model's outputs are not finite numbers" in message()
    save_file(weights, folder / "model.safetensors")
    assert "the key 'card.metric'" in message(card={"name": "rel", "kind": "classification"})


def test_an_exported_folder_is_an_encoder_for_other_grids(trial: Trial, tmp_path: Path):
    export(trial.store, trial.joint.id, to=tmp_path / "m", task="sim")
    files = encoders.locate(str(tmp_path / "m"))
    job = trial.single.model_copy(
        update={"encoder": Encoder(name=str(tmp_path / "m")), "encoder_fingerprint": files.fingerprint}
    )
    site = trial.site.model_copy(update={"encoder": files.folder, "store": tmp_path / "runs"})
    result = run(job, site)
    assert result.status == "done", result.error
    assert result.history[0].loss != trial.store.get(trial.single.id).history[0].loss


def test_the_card_says_scores_data_and_terms(trial: Trial, tmp_path: Path):
    export(trial.store, trial.joint.id, to=tmp_path / "m", task="entails")
    text = (tmp_path / "m" / "README.md").read_text()
    test = next(
        s for s in trial.store.get(trial.joint.id).scores if (s.corpus, s.split) == ("entails", "test")
    )
    assert f"| test | accuracy | {test.value:.4f} | 14 |" in text
    assert "> **Caution.** entails is under terms that do not let its texts be passed on" in text
    assert "long-ner is for non-commercial use" in text
    assert "sim: no licence is known" in text
    for trained in trial.joint.corpora:
        assert f"`{trained.fingerprint}`" in text
    assert f"job {trial.joint.id}" in text


def test_the_card_of_a_fine_tuned_model_names_its_partners(trial: Trial, tmp_path: Path):
    corpora = load(trial.site.corpora, KINDS)
    known = [
        CorpusRecord(card=c.card, fingerprint=c.fingerprint, items=dict.fromkeys(("train", "dev", "test"), 1))
        for c in corpora[:3]
    ]
    export(trial.store, trial.child.id, to=tmp_path / "m", known=known)
    text = (tmp_path / "m" / "README.md").read_text()
    assert "# rel, trained with entails, long-ner, sim, topics" in text
    assert "long-ner is for non-commercial use" in text
    assert "Nothing is known here of entails, sim, which shared the encoder." in text


def test_synthetic_data_is_called_that(trial: Trial, tmp_path: Path):
    (record,) = export(trial.store, trial.single.id, to=tmp_path / "m")
    invented = record.model_copy(update={"source": "synthetic"})
    assert cards.cautions(invented, [])[0].startswith("SYNTHETIC DATA")


SMALL = {
    "vocab_size": 40, "max_position_embeddings": 40, "pad_token_id": 0, "embedding_size": 16,
    "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24,
    "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 24,
}  # fmt: skip
CARDS = {
    True: Card(name="c", kind="classification", metric="accuracy", labels=("a", "b", "c")),
    False: Card(name="t", kind="tagging", metric="span_f1", entities=("X",)),
}


@pytest.mark.parametrize(
    ("family", "pooled"), [*((f, True) for f in SENTENCES), *((f, False) for f in TOKENS)]
)
def test_each_familys_class_computes_what_was_trained(family: str, pooled: bool):
    torch.manual_seed(0)
    config = AutoConfig.for_model(family, **SMALL)
    encoder = AutoModel.from_config(config).eval()
    task = task_of(CARDS[pooled])
    pooler, head = torch.nn.Linear(16, 16), torch.nn.Linear(16, task.outputs)
    weights = {f"encoder.{n}": w for n, w in encoder.state_dict().items() if not n.startswith("pooler.")}
    for name, linear in (("pooler", pooler), ("head", head)):
        weights |= {f"{name}.{part}": w for part, w in linear.state_dict().items()}
    ids = torch.randint(5, 40, (3, 9))
    with torch.no_grad():
        hidden = encoder(input_ids=ids).last_hidden_state
        wanted = head(torch.tanh(pooler(hidden[:, 0]))) if pooled else head(hidden)
        got = plain(config, task, weights)(input_ids=ids).logits
    torch.testing.assert_close(got, wanted, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("family", "pooled"), [("electra", True), ("distilbert", True), ("modernbert", False)]
)
def test_a_family_whose_class_has_another_head_is_refused(family: str, pooled: bool):
    with pytest.raises(InputError, match=f"for the family '{family}'.*has another head"):
        plain(AutoConfig.for_model(family), task_of(CARDS[pooled]), {})


@pytest.mark.parametrize("family", sorted(encoders.FAMILIES))
def test_a_model_of_each_family_predicts_what_is_in_the_store_or_is_refused(
    family: str, trial: Trial, tmp_path: Path
):
    """Trained, exported, read back, and by the code in the card, in this process."""
    files = encoders.locate(str(write_family(tmp_path / family, family)))
    recipe = Recipe(lr=3e-3, epochs=2, batch_size=8, max_length=18)
    job = trial.joint.model_copy(
        update={
            "corpora": tuple(c for c in trial.joint.corpora if c.name in ("sim", "long-ner")),
            "recipe": recipe,
            "encoder": Encoder(name=str(files.folder)),
            "encoder_fingerprint": files.fingerprint,
        }
    )
    site = trial.site.model_copy(
        update={"encoder": files.folder, "store": tmp_path / "runs", "keep": frozenset([job.id])}
    )
    assert run(job, site).error == ""
    store, places = Store(site.store), {"sim": SENTENCES, "long-ner": TOKENS}
    for corpus in load(site.corpora, ("sim", "long-ner")):
        to = tmp_path / f"m-{corpus.name}"
        if family not in places[corpus.name]:
            with pytest.raises(InputError, match="another head"):
                export(store, job.id, to=to, task=corpus.name)
            assert not to.exists()
            continue
        export(store, job.id, to=to, task=corpus.name)
        rows = store.predictions(job.id)
        kept = [json.loads(value) for value in rows.loc[rows["corpus"] == corpus.name, "predicted"]]
        agree(open_model(to).predict(corpus.test), kept, corpus.card.kind)
        code = re.search(r"```python\n(.*?)```", (to / "README.md").read_text(), re.DOTALL)
        assert code
        space: dict[str, Any] = {}
        exec(code[1].replace('folder = "."', f"folder = {str(to)!r}"), space)
        texts = [[list(e.text)] if corpus.name == "long-ner" else e.text for e in corpus.test]
        agree([space["predict"](*text) for text in texts], kept, corpus.card.kind)
