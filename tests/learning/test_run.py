"""One job from record to result: learning happens, arms are matched, failures are recorded."""

import gc
import json
import shutil
from pathlib import Path

import pytest
import torch

from tests.learning.jobs import QUICK, job_of
from transfer import corpora
from transfer.corpora import Limit
from transfer.learning import evaluate, machine
from transfer.learning.best import MEAN, Best
from transfer.learning.mtbert import MTBert
from transfer.learning.run import run
from transfer.learning.worker_data import Site
from transfer.recipes import Recipe
from transfer.store import Store
from transfer.tasks import task_of


def scores(result) -> dict:
    return {(s.corpus, s.split): s.value for s in result.scores}


@pytest.mark.parametrize("name", ["sim", "rel", "ner", "multi"])
def test_each_kind_learns(site: Site, name: str):
    recipe = Recipe(lr=1e-2, epochs=40, batch_size=8, dropout=0.0)
    result = run(job_of(site, name, recipe=recipe), site)
    assert result.error == ""
    losses = [epoch.loss[name] for epoch in result.history]
    assert losses[-1] < 0.6 * losses[0]
    assert scores(result)[name, "test"] > 0.6


def test_all_kinds_train_jointly_and_every_test_item_has_a_prediction(site: Site):
    job = job_of(site, "sim", "rel", "ner", "multi")
    result = run(job, site)
    assert result.status == "done", result.error
    predictions = Store(site.store).predictions(job.id)
    assert predictions.groupby("corpus").size().to_dict() == dict.fromkeys(("sim", "rel", "ner", "multi"), 12)
    assert set(result.chosen_epoch) == {"sim", "rel", "ner", "multi"}
    assert result.steps == 3 * 4 * 3


def test_test_scores_follow_from_the_kept_predictions(site: Site):
    job = job_of(site, "rel", "ner")
    result = run(job, site)
    kept = Store(site.store).predictions(job.id)
    for corpus in corpora.load(site.corpora, ("rel", "ner")):
        rows = kept[kept["corpus"] == corpus.name]
        gold, predicted = ([json.loads(v) for v in rows[c]] for c in ("gold", "predicted"))
        score = task_of(corpus.card).score(gold, predicted)
        assert score == pytest.approx(scores(result)[corpus.name, "test"])


def test_the_same_job_gives_the_same_numbers_whatever_ran_before(site: Site, tmp_path: Path):
    job = job_of(site, "rel", "sim")
    first = run(job, site)
    run(job_of(site, "ner", seed=5), site)
    again = run(job, site.model_copy(update={"store": tmp_path / "other"}))
    assert scores(first) == scores(again)
    assert [e.loss for e in first.history] == [e.loss for e in again.history]


def test_a_same_steps_job_trains_as_long_as_the_pair_and_begins_like_the_single_one(site: Site):
    alone = run(job_of(site, "rel"), site)
    pair = run(job_of(site, "rel", "ner"), site)
    job = job_of(site, "rel").model_copy(update={"extra_examples": pair.train_items["ner"]})
    longer = run(job, site)
    assert longer.status == "done", longer.error
    assert longer.steps == pair.steps == 2 * alone.steps
    assert len(longer.history) == len(pair.history)
    assert longer.train_items == {"rel": 24}
    assert longer.history[-1].loss["rel"] < alone.history[-1].loss["rel"]


def test_a_left_out_job_trains_without_the_text_that_the_target_is_tested_on(
    site: Site, tmp_path: Path, tiny_corpora: Path
):
    folder = Path(shutil.copytree(tiny_corpora, tmp_path / "corpora"))
    known = "the patient was sent home with severe chest pain"
    rows = [json.loads(line) for line in (folder / "ner" / "train.jsonl").read_text().splitlines()]
    for i, row in enumerate(rows[:5]):
        row |= {"id": f"known-{i}", "tokens": known.split(), "tags": ["O"] * 9}
    (folder / "ner" / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    tested = folder / "rel" / "test.jsonl"
    tested.write_text(tested.read_text() + json.dumps({"id": "k", "text": known, "label": "none"}) + "\n")
    site = site.model_copy(update={"corpora": str(folder)})
    pair = job_of(site, "rel", "ner")
    assert run(pair, site).train_items == {"rel": 24, "ner": 24}
    less = run(pair.model_copy(update={"left_out": "rel"}), site)
    assert less.train_items == {"rel": 24, "ner": 19}
    assert run(pair.model_copy(update={"left_out": "ner"}), site).train_items == {"rel": 24, "ner": 24}


def test_the_first_mini_batch_of_a_corpus_is_the_same_alone_and_with_a_partner(site: Site, monkeypatch):
    """Matched arms, seen from the model: first loss of 'rel' before anything was learnt."""
    seen: dict[str, list[float]] = {}
    key = ""
    plain = MTBert.backward

    def noted(model: MTBert, batch):
        loss = plain(model, batch)
        if batch.corpus == "rel":
            seen.setdefault(key, []).append(loss.item())
        return loss

    monkeypatch.setattr(MTBert, "backward", noted)
    still = QUICK.model_copy(update={"lr": 1e-12})  # nothing moves, so every mini-batch can be compared
    for names in (("rel",), ("rel", "sim"), ("ner", "rel", "sim")):
        key = "+".join(names)
        assert run(job_of(site, *names, recipe=still), site).status == "done"
    alone = seen.pop("rel")
    assert len(alone) == 9
    for joint in seen.values():
        assert joint == pytest.approx(alone, abs=1e-5)


def test_a_child_starts_from_the_encoder_its_parent_kept(site: Site):
    parent = job_of(site, "rel", "sim")
    assert run(parent, site, keep_encoder=True).status == "done"
    kept = Store(site.store).home(parent.id) / "encoder" / "model.safetensors"
    assert kept.is_file()
    child = job_of(site, "rel", recipe=QUICK.model_copy(update={"epochs": 1}), parent=parent)
    from_parent = run(child, site)
    assert from_parent.status == "done", from_parent.error
    fresh = run(job_of(site, "rel", recipe=QUICK.model_copy(update={"epochs": 1})), site)
    assert from_parent.history[0].loss != fresh.history[0].loss


def test_a_loss_that_is_no_number_is_a_failed_job_without_a_score(site: Site):
    job = job_of(site, "rel", recipe=QUICK.model_copy(update={"lr": 1e30, "clip": 1e30}))
    result = run(job, site)
    assert result.status == "failed"
    assert result.reason == result.error, "no traceback: it tells nothing"
    assert result.reason.startswith("training diverged: ")
    assert "try a learning rate below 1e+30" in result.reason
    assert result.scores == ()
    assert Store(site.store).get(job.id).status == "failed"


def test_a_corpus_that_changed_since_the_plan_is_refused(site: Site):
    job = job_of(site, "rel")
    result = run(job, site.model_copy(update={"limits": {"rel": Limit(train=10)}}))
    assert result.status == "failed"
    assert "changed since the grid was planned" in result.error


def test_bf16_products_change_little(site: Site):
    plain, rounded = (
        run(job_of(site, "sim", recipe=QUICK.model_copy(update={"precision": p})), site)
        for p in ("fp32", "bf16")
    )
    assert rounded.status == "done", rounded.error
    assert rounded.history[0].loss["sim"] == pytest.approx(plain.history[0].loss["sim"], rel=0.05)
    assert rounded.history[-1].dev != plain.history[-1].dev


def test_best_takes_the_earliest_of_equal_epochs_for_each_corpus_apart():
    model = torch.nn.Linear(1, 1)
    best = Best()
    for epoch, dev in enumerate([{"a": 0.5, "b": 0.1}, {"a": 0.5, "b": 0.3}, {"a": 0.2, "b": 0.2}], 1):
        best.improve(model, dev, epoch)  # type: ignore[arg-type]
    assert best.epoch == {"a": 1, "b": 2, MEAN: 2}
    assert set(best.weights) == {1, 2}


def test_an_undefined_dev_score_never_beats_a_number_and_the_last_epoch_is_taken_where_all_are():
    best, nan = Best(), float("nan")
    model = torch.nn.Linear(1, 1)
    rounds = [
        {"a": nan, "b": 0.9, "c": nan},
        {"a": -0.2, "b": 0.1, "c": nan},
        {"a": nan, "b": 0.8, "c": nan},
        {"a": -0.3, "b": 0.1, "c": nan},
    ]
    for epoch, dev in enumerate(rounds, 1):
        best.improve(model, dev, epoch)  # type: ignore[arg-type]
    assert best.epoch == {"a": 2, "b": 1, "c": 4, MEAN: 2}, "the mean of two corpora before that of one"
    assert (best.score["a"], best.score["b"], best.score[MEAN]) == (-0.2, 0.9, pytest.approx(-0.05))
    assert set(best.weights) == {1, 2, 4}


def test_memory_is_given_back_before_and_behind_each_evaluation(site: Site, monkeypatch):
    given = []
    monkeypatch.setattr(evaluate, "give_back_memory", lambda: given.append(1))
    run(job_of(site, "sim"), site)
    assert len(given) == 2 * (QUICK.epochs + 1)  # dev each epoch, test once


def test_a_job_leaves_next_to_nothing_that_only_holds_itself(site: Site):
    gc.collect()
    gc.disable()
    try:
        done = run(job_of(site, "sim"), site)
        failed = run(job_of(site, "sim", seed=1), site.model_copy(update={"corpora": "nowhere"}))
        left = gc.collect()
    finally:
        gc.enable()
    assert (done.status, failed.status) == ("done", "failed")
    assert left < 30, left  # of claims and errors; with a job's own it was 183


def test_where_the_c_library_gives_no_memory_back_nothing_happens(monkeypatch):
    asked = []
    monkeypatch.setattr(machine.ctypes, "CDLL", lambda name: asked.append(name) or object())
    machine.give_back_memory()
    assert asked == [None]
