"""Ways to share: their limits, what moves and what does not, and that every registered one runs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests.families import write_family
from tests.learning.jobs import job_of
from tests.learning.methods import NAMES, batches, done, joint, materials, recipe, trained
from tests.learning.test_checkpoint import comparable, interrupted
from tests.learning.test_run import scores
from transfer.learning.batches import MiniBatch
from transfer.learning.export.write import export
from transfer.learning.mtbert import MTBert
from transfer.learning.run import run
from transfer.learning.sharing import LEARNERS, learner_of
from transfer.learning.sharing.distil import Student
from transfer.learning.sharing.frozen import FrozenEncoder, Memory
from transfer.learning.sharing.lora import Adapted
from transfer.learning.sharing.soft import Tied
from transfer.learning.worker_data import Site
from transfer.methods import SHARING
from transfer.store import Store

WAYS: list[Any] = [
    "hard",
    "heads",
    {"top": 1},
    "lora",
    {"lora": {"adapters": "task"}},
    {"soft": 3.0},
    "distil",
]


def moved(before: Mapping[str, Tensor], model: torch.nn.Module) -> set[str]:
    return {name for name, w in model.state_dict().items() if not torch.equal(w, before[name])}


def copied(model: torch.nn.Module) -> dict[str, Tensor]:
    return {name: w.clone() for name, w in model.state_dict().items()}


def test_every_registered_way_is_tried_here_and_has_its_numbers():
    tried = {recipe(share=way).share.method for way in WAYS}
    assert tried == set(LEARNERS) == set(SHARING)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_way_trains_all_kinds_together(site: Site, way: Any):
    job = joint(site, "sim", "rel", "ner", "multi", share=way)
    result = done(job, site)
    assert {s.corpus for s in result.scores} == {"sim", "rel", "ner", "multi"}
    assert result.peak_memory is None or result.peak_memory > 2**20
    kept = Store(site.store).predictions(job.id)
    assert kept.groupby("corpus").size().to_dict() == dict.fromkeys(("sim", "rel", "ner", "multi"), 12)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_job_gives_the_same_scores_twice(site: Site, way: Any, tmp_path: Path):
    other = site.model_copy(update={"store": tmp_path / "other"})
    found = [done(joint(place, *NAMES, share=way), place) for place in (site, other)]
    assert scores(found[0]) == scores(found[1])
    assert [e.loss for e in found[0].history] == [e.loss for e in found[1].history]


# soft sharing


def test_soft_sharing_without_penalty_gives_the_single_task_scores(site: Site):
    together = done(joint(site, *NAMES, share={"soft": 0.0}), site)
    for name in NAMES:
        alone = done(job_of(site, name, recipe=recipe()), site)
        for split in ("dev", "test"):
            assert scores(together)[name, split] == scores(alone)[name, split]
        assert [e.loss[name] for e in together.history] == [e.loss[name] for e in alone.history]


def test_as_the_penalty_grows_the_encoders_become_one(site: Site):
    def apart(penalty: float) -> float:
        model = learner_of(materials(site, *NAMES, share={"soft": penalty}, dropout=0.0))
        assert isinstance(model, Tied)
        trained(model, site)
        one, other = (torch.cat([w.flatten() for w in member.shared()]) for member in model.members)  # type: ignore[operator]
        return float((one - other).detach().norm())

    found = [apart(penalty) for penalty in (0.0, 30.0, 1e3, 1e9)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.1
    assert found[-1] < 1e-4


def test_with_a_large_penalty_soft_sharing_comes_near_hard_sharing(site: Site):
    """A step of one of two tied models moves their mean by half: hard sharing at half the rate.

    Not equal: the optimizer's moments stay each corpus's own, and heads have the whole rate.
    """

    def encoder_after(**changed: Any) -> Tensor:
        numbers = {"epochs": 6, "lr": 1e-3, "dropout": 0.0} | changed
        model = trained(learner_of(materials(site, *NAMES, **numbers)), site, **numbers)
        one = model.members[0] if isinstance(model, Tied) else model
        assert isinstance(one, MTBert)
        return torch.cat([w.detach().flatten() for w in one.shared()])

    hard = encoder_after(lr=5e-4)
    apart = [float((encoder_after(share={"soft": p}) - hard).norm()) for p in (0.0, 10.0, 100.0, 1e9)]
    assert apart[0] > apart[1] > apart[2]
    assert apart[3] < 0.5 * apart[0]


# frozen layers


@pytest.mark.parametrize("way", ["heads", "lora", {"lora": {"adapters": "task"}}], ids=str)
def test_the_base_weights_do_not_move(site: Site, way: Any):
    model = learner_of(materials(site, *NAMES, share=way))
    before = copied(model)
    trained(model, site)
    changed = moved(before, model)
    assert all(".lora_" in n or n.startswith(("heads.", "pooler.")) for n in changed), changed
    assert {n.partition(".")[0] for n in changed} >= {"heads", "pooler"}
    assert any(".lora_" in n for n in changed) == (way != "heads")


def test_the_lower_layers_do_not_move_and_the_upper_ones_do(site: Site):
    model = learner_of(materials(site, *NAMES, share={"top": 1}))
    before = copied(model)
    trained(model, site)
    changed = moved(before, model)
    assert any(n.startswith("encoder.encoder.layer.1.") for n in changed)
    assert not any(n.startswith(("encoder.encoder.layer.0.", "encoder.embeddings.")) for n in changed)


@pytest.mark.parametrize("way", ["heads", {"top": 1}], ids=str)
def test_kept_outputs_give_the_training_without_keeping_them(site: Site, way: Any, monkeypatch):
    kept = done(joint(site, *NAMES, share=way), site)
    monkeypatch.setattr(Memory, "keep", lambda *_: None)
    again = site.model_copy(update={"store": site.store.parent / "not-kept"})
    plain = done(joint(again, *NAMES, share=way), again)
    assert scores(kept) == scores(plain)
    assert [e.loss for e in kept.history] == [e.loss for e in plain.history]


def test_kept_outputs_are_computed_once(site: Site, monkeypatch):
    model = learner_of(materials(site, "rel", share="heads"))
    calls: list[int] = []
    layer = model.encoder.encoder.layer[0]  # type: ignore[union-attr]
    plain = layer.forward
    monkeypatch.setattr(layer, "forward", lambda *a, **k: calls.append(1) or plain(*a, **k))
    trained(model, site)  # three epochs
    assert len(calls) == len(batches(site, "rel"))


def test_outputs_beyond_the_room_are_not_kept(site: Site):
    model = materials(site, "rel", share="heads").learner(FrozenEncoder, room=1)
    (part,) = batches(site, "rel")[0].parts
    assert torch.equal(model.eval()(part), model.eval()(part))
    assert model.memory.get(part) is None


# adapters


def test_adapters_begin_as_the_encoder_and_do_not_depend_on_partners(site: Site):
    plain = learner_of(materials(site, *NAMES)).eval()
    for adapters in ("shared", "task"):
        way = {"lora": {"adapters": adapters}}
        pair, alone = (learner_of(materials(site, *n, share=way)) for n in (NAMES, ("rel",)))
        (part,) = batches(site, "rel")[0].parts
        assert torch.allclose(pair.eval()(part), plain(part), atol=1e-6)
        assert isinstance(pair, Adapted)
        assert isinstance(alone, Adapted)
        place = pair.head_of["rel"] if adapters == "task" else 0
        name = "encoder.encoder.layer.0.attention.self.query.lora_A.{}.weight"
        mine, its = (
            dict(m.named_parameters())[name.format(m.adapters[p])] for m, p in ((pair, place), (alone, 0))
        )
        assert torch.equal(mine, its)
        assert mine.any()


def test_merged_adapters_give_the_adapted_model(site: Site):
    model = learner_of(materials(site, *NAMES, share="lora", dropout=0.0))
    trained(model, site)
    assert isinstance(model, Adapted)
    plain = materials(site, *NAMES, dropout=0.0).learner(MTBert)
    words = [n for n in plain.state_dict() if "word_embeddings" in n]
    merged = {n: w for n, w in model.plain(model.state_dict()).items() if n not in words}
    heads = {n: w for n, w in model.state_dict().items() if n.startswith("heads.")}
    left = plain.load_state_dict(merged | heads, strict=False)
    assert not left.unexpected_keys
    assert set(left.missing_keys) <= set(words)
    for name in NAMES:
        (part,) = batches(site, name)[0].parts
        assert torch.allclose(plain.eval()(part), model.eval()(part), atol=1e-5)


def test_each_corpus_has_its_own_adapters(site: Site):
    model = learner_of(materials(site, *NAMES, share={"lora": {"adapters": "task"}}))
    before = copied(model)
    for batch in batches(site, "rel"):
        model.backward(batch)
    rel = f"task{model.head_of['rel']}"  # type: ignore[operator]
    adapters = {n: p.grad for n, p in model.named_parameters() if ".lora_" in n}
    moved_by = {name for name, grad in adapters.items() if grad is not None and grad.any()}
    assert moved_by
    assert all(rel in n for n in moved_by)
    assert not moved(before, model)


# distillation


def test_the_teachers_weight_falls_to_0_at_the_last_step(site: Site, monkeypatch):
    seen: list[float] = []
    plain = Student.backward

    def noted(model: Student, batch: MiniBatch) -> Tensor:
        loss = plain(model, batch)
        seen.append(model.teaching)
        return loss

    monkeypatch.setattr(Student, "backward", noted)
    done(joint(site, *NAMES, share={"distil": 0.8}), site)
    assert seen[0] == pytest.approx(0.8)
    assert seen[-1] == 0.0
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == 18


def test_a_student_learns_from_what_its_teacher_says(site: Site):
    """With the teacher's whole weight the loss is the distance to its distribution, whatever the gold is."""
    model = learner_of(materials(site, "rel", share="distil", dropout=0.0))
    assert isinstance(model, Student)
    cut = batches(site, "rel")
    teacher = materials(site, "rel", dropout=0.0).learner(MTBert)
    model.learn_from(teacher, cut)
    (part,) = cut[0].parts
    probabilities = torch.softmax(teacher.eval()(part), dim=-1)
    entropy = -(probabilities * probabilities.log()).sum(dim=-1).mean()
    assert model.eval().loss(part).item() == pytest.approx(entropy.item(), rel=1e-5)  # the same weights
    model.teaching = 0.0
    assert model.loss(part).item() == pytest.approx(teacher.loss(part).item(), rel=1e-6)


def test_a_teacher_that_is_missing_fails_the_job_with_its_name(site: Site):
    job = job_of(site, *NAMES, recipe=recipe(share="distil"))
    teachers = tuple(job_of(site, name, recipe=recipe()) for name in sorted(NAMES))
    result = run(job.model_copy(update={"teachers": teachers}), site)
    assert result.status == "failed"
    assert teachers[0].id in result.error


def test_a_teacher_whose_head_was_not_kept_teaches_nothing(site: Site):
    """Encoders that a version before distillation kept have no heads; a fresh one would teach noise."""
    job = joint(site, *NAMES, share="distil")
    kept = site.store / "jobs" / job.teachers[0].id / "encoder" / "model.safetensors"
    save_file({n: w for n, w in load_file(kept).items() if not n.startswith("heads.")}, kept)
    result = run(job, site)
    assert result.status == "failed"
    assert result.scores == ()
    assert f"the teacher {job.teachers[0].id}" in result.error


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_a_killed_job_goes_on_to_the_same_scores(site: Site, way: Any, tmp_path: Path):
    each_epoch = {"checkpoint_seconds": 0}
    sites = [site.model_copy(update=each_epoch | {"store": tmp_path / name}) for name in ("whole", "killed")]
    jobs = [joint(place, *NAMES, share=way) for place in sites]
    whole = done(jobs[0], sites[0])
    interrupted(jobs[1], sites[1], after=2)
    assert comparable(done(jobs[1], sites[1])) == comparable(whole)


def test_a_family_that_is_padded_replays_its_lower_layers_too(site: Site, tmp_path: Path, monkeypatch):
    folder = tmp_path / "deberta"
    folder.mkdir()
    site = site.model_copy(update={"encoder": write_family(folder, "deberta")})
    kept = done(joint(site, *NAMES, share={"top": 1}), site)
    monkeypatch.setattr(Memory, "keep", lambda *_: None)
    again = site.model_copy(update={"store": tmp_path / "not-kept"})
    assert scores(kept) == scores(done(joint(again, *NAMES, share={"top": 1}), again))


def test_job_ids_of_a_corpus_alone_are_the_same_under_all_methods_that_say_nothing_of_it(site: Site):
    plain = job_of(site, "rel", recipe=recipe()).id
    for way in ("hard", {"soft": 1.0}, "distil"):
        for more in ({"mix": "uniform"}, {"weigh": "uncertainty"}, {"weigh": {"fixed": {"rel": 2}}}):
            assert job_of(site, "rel", recipe=recipe(share=way, **more).of(["rel"])).id == plain
    for way in ("heads", {"top": 1}, "lora"):
        assert job_of(site, "rel", recipe=recipe(share=way).of(["rel"])).id != plain


@pytest.mark.parametrize("way", ["heads", {"top": 1}, "lora", "distil"], ids=str)
def test_a_kept_model_of_every_way_with_one_encoder_predicts_what_is_in_the_store(
    site: Site, way: Any, transfer, tmp_path: Path
):
    job = joint(site, *NAMES, share=way)
    site = site.model_copy(update={"keep": frozenset([job.id])})
    done(job, site)
    store = Store(site.store)
    export(store, job.id, to=tmp_path / "model")
    kept = store.predictions(job.id)
    for name, key in (("rel", "label"), ("ner", "tags")):
        file = Path(site.corpora) / name / "test.jsonl"
        code, out, err = transfer("models", "predict", tmp_path / "model" / name, file)
        assert (code, err) == (0, "")
        said = [json.loads(line)[key] for line in out.splitlines()]
        assert said == [json.loads(v) for v in kept.loc[kept["corpus"] == name, "predicted"]]


def test_a_kept_result_says_which_method_it_is_of(site: Site):
    job = joint(site, *NAMES, share={"top": 1}, mix={"temperature": 2}, weigh={"fixed": {"rel": 2}})
    done(job, site)
    text = json.loads(Store(site.store).files.read(f"jobs/{job.id}/result.json"))
    assert text["job"]["recipe"]["share"] == {"method": "top", "layers": 1}
    assert Store(site.store).get(job.id).job == job
