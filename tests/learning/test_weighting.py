"""Ways to weigh: their limits, and that every registered one trains."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.learning.methods import NAMES, batches, done, joint, materials, trained
from tests.learning.test_run import scores
from transfer.learning.mtbert import MTBert
from transfer.learning.sharing import learner_of
from transfer.learning.weighting import LOSS_WEIGHTING, LearnedUncertainty, _torchjd
from transfer.learning.worker_data import Site
from transfer.methods import WEIGHING, Weigh
from transfer.recipes import Recipe

WAYS: list[Any] = ["equal", {"fixed": {"rel": 2.0}}, "uncertainty", "pcgrad", "cagrad", "upgrad"]
TOGETHER = ("pcgrad", "cagrad", "upgrad")


def changes(way: Any) -> dict[str, Any]:
    return {"weigh": way} | ({"mix": "uniform"} if way in TOGETHER else {})


def weigh(way: Any) -> Weigh:
    return Recipe.model_validate({"lr": 1, "epochs": 1, "batch_size": 1, **changes(way)}).weigh


def test_every_registered_way_is_tried_here_and_has_its_numbers():
    assert {weigh(way).method for way in WAYS} == set(LOSS_WEIGHTING) == set(WEIGHING)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_every_way_trains_all_kinds_together_and_again_to_the_same_scores(
    site: Site, way: Any, tmp_path: Path
):
    result = done(joint(site, "sim", "rel", "ner", "multi", **changes(way)), site)
    assert {s.corpus for s in result.scores} == {"sim", "rel", "ner", "multi"}
    assert result.steps == (9 if way in TOGETHER else 36)
    other = site.model_copy(update={"store": tmp_path / "other"})
    again = done(joint(other, "sim", "rel", "ner", "multi", **changes(way)), other)
    assert scores(again) == scores(result)


def test_equal_numbers_of_your_own_are_no_weighing(site: Site):
    plain = done(joint(site, *NAMES), site)
    fixed = done(joint(site, *NAMES, weigh={"fixed": {"rel": 1.0, "ner": 1.0}}), site)
    assert fixed.id != plain.id
    assert scores(fixed) == scores(plain)
    assert [e.loss for e in fixed.history] == [e.loss for e in plain.history]


def test_a_number_of_your_own_multiplies_the_gradient_of_its_corpus(site: Site):
    def found(name: str, **changed: Any) -> tuple[float, torch.Tensor]:
        model = learner_of(materials(site, *NAMES, dropout=0.0, **changed))
        assert isinstance(model, MTBert)
        loss = model.backward(batches(site, name)[0])
        return loss.item(), torch.cat([p.grad.flatten() for p in model.shared() if p.grad is not None])

    for name, factor in (("rel", 3.0), ("ner", 1.0)):
        plain_loss, plain = found(name)
        loss, weighed = found(name, weigh={"fixed": {"rel": 3.0}})
        assert loss == plain_loss  # what is told of an epoch is the loss itself
        assert torch.allclose(weighed, factor * plain, atol=1e-6)


def test_uncertainties_are_learned_and_begin_as_equal(site: Site):
    model = learner_of(materials(site, *NAMES, weigh={"uncertainty": 0.05}, dropout=0.0))
    assert isinstance(model, MTBert)
    assert isinstance(model.weighing, LearnedUncertainty)
    loss = torch.tensor(2.0)
    assert model.weighing(loss, batches(site, "rel")[0]) == loss
    trained(model, site, weigh={"uncertainty": 0.05})
    assert (model.weighing.log_variances.abs() > 0.01).all()


def test_the_uncertainty_that_fits_a_loss_is_its_logarithm(site: Site):
    """L exp(-s) + s / 2 is least at s = ln(2 L)."""
    model = learner_of(materials(site, "rel", "ner", weigh="uncertainty"))
    weighing = model.weighing  # type: ignore[union-attr]
    batch = batches(site, "rel")[0]
    rate = torch.optim.SGD(weighing.parameters(), lr=0.5)
    for _ in range(500):
        rate.zero_grad()
        weighing(torch.tensor(0.7), batch).backward()
        rate.step()
    assert weighing.log_variances[weighing.place["rel"]].item() == pytest.approx(
        torch.log(torch.tensor(1.4)).item(), abs=1e-3
    )


@pytest.mark.parametrize("way", TOGETHER)
def test_gradients_that_agree_are_averaged(way: str):
    row = torch.tensor([1.0, -2.0, 0.5, 0.0])
    aggregate = _torchjd(weigh(way), 2)
    assert torch.allclose(aggregate(torch.stack([row, row])), row, atol=1e-4)


def test_pcgrad_of_two_gradients_that_agree_is_their_mean():
    rows = torch.tensor([[1.0, 0.0, 0.2], [0.5, 1.0, 0.0]])
    assert (rows[0] @ rows[1]) > 0
    assert torch.allclose(_torchjd(weigh("pcgrad"), 2)(rows), rows.mean(dim=0))


@pytest.mark.parametrize("way", TOGETHER)
def test_a_conflict_is_resolved_otherwise_than_by_the_mean(way: str):
    rows = torch.tensor([[1.0, 0.0], [-2.0, 0.5]])
    found = _torchjd(weigh(way), 2)(rows)
    assert not torch.allclose(found, rows.mean(dim=0), atol=1e-3)
    if way == "upgrad":  # no task is harmed
        assert (rows @ found >= -1e-4).all()


def test_gradients_of_several_corpora_that_do_not_conflict_are_averaged(site: Site):
    """Seen on the pooler, which a tagger does not read: there one corpus's half is all there is."""
    model = learner_of(materials(site, *NAMES, dropout=0.0, **changes("pcgrad")))
    plain = learner_of(materials(site, *NAMES, dropout=0.0))
    plain.backward(batches(site, "rel")[0])
    for name in sorted(NAMES):
        model.backward(replace(batches(site, name)[0], last=name == max(NAMES)))
    mine, alone = (m.get_parameter("pooler.weight").grad for m in (model, plain))
    assert mine is not None
    assert alone is not None
    assert torch.nn.functional.cosine_similarity(mine.flatten(), alone.flatten(), dim=0) > 0.99
