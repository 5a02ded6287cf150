"""The encoder on packed rows: no padding outside attention, and no sequence sees its neighbour."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from transfer.corpora.base import Card
from transfer.learning import encoder
from transfer.learning.batches import collate, mini_batch
from transfer.learning.dropout import Noise
from transfer.learning.lazy_embedding import Words
from transfer.learning.mtbert import MTBert
from transfer.recipes import Recipe
from transfer.tasks import Item, task_of

TASK = task_of(Card(name="c", kind="classification", metric="accuracy", labels=("a", "b", "c")))
LENGTHS = (5, 17, 2, 9, 30, 9, 3, 11, 24)


def items(lengths=LENGTHS) -> list[Item]:
    generator = torch.Generator().manual_seed(1)
    return [
        Item(i, 0, torch.randint(5, 60, (n,), generator=generator).tolist(), [0] * n, [0], [i % 3])
        for i, n in enumerate(lengths)
    ]


def model_of(folder: Path, *, dropout: float = 0.0) -> MTBert:
    noise = Noise()
    recipe = Recipe(lr=1e-3, epochs=1, batch_size=8, dropout=dropout)
    loaded = encoder.load(folder, layers=None, dropout=dropout, noise=noise)
    return MTBert(loaded, {"c": TASK}, noise=noise, recipe=recipe, seed=3)


def test_packed_equals_one_by_one(tiny_encoder: Path):
    model = model_of(tiny_encoder).eval()
    alone = {i.example: model(collate("c", TASK, [i]))[0] for i in items()}
    batch = collate("c", TASK, items())
    together = model(batch)
    for row, (example, _, _) in zip(together, batch.items, strict=True):
        torch.testing.assert_close(row, alone[example], atol=1e-5, rtol=0)


def test_packed_equals_the_padded_transformers_model(tiny_encoder: Path):
    ours = model_of(tiny_encoder).eval()
    theirs = AutoModel.from_pretrained(tiny_encoder, attn_implementation="eager").eval()
    batch = collate("c", TASK, items())
    hidden = ours.encoder(
        input_ids=batch.rows[batch.ids],
        token_type_ids=batch.types,
        position_ids=batch.positions,
        packing=batch.packing,
    ).last_hidden_state[0]
    at = 0
    for item in sorted(items(), key=lambda item: len(item.ids)):
        n = len(item.ids)
        padded = torch.tensor([[*item.ids, *[0] * (40 - n)]])
        mask = torch.tensor([[1] * n + [0] * (40 - n)])
        expected = theirs(input_ids=padded, attention_mask=mask).last_hidden_state[0, :n]
        torch.testing.assert_close(hidden[at : at + n], expected, atol=1e-5, rtol=0)
        at += n


@pytest.mark.parametrize("training", [False, True])
def test_gradients_are_those_of_one_by_one(tiny_encoder: Path, training: bool):
    """With dropout so small that no element falls, training takes the path with masks."""
    dropout = 1e-9 if training else 0.0
    packed, single = (model_of(tiny_encoder, dropout=dropout).train() for _ in range(2))
    for module in packed.modules():
        if isinstance(module, torch.nn.Dropout):
            raise AssertionError("a torch dropout is left, whose masks belong to no mini-batch")
    packed.loss(collate("c", TASK, items())).backward()
    for item in items():
        (single.loss(collate("c", TASK, [item])) / len(LENGTHS)).backward()
    for (name, p), q in zip(packed.named_parameters(), single.parameters(), strict=True):
        if p.grad is not None:
            torch.testing.assert_close(p.grad, q.grad, atol=1e-6, rtol=1e-4, msg=name)


@pytest.mark.parametrize("lazy", [True, False])
def test_gradients_in_parts_are_those_of_the_whole(tiny_encoder: Path, lazy: bool):
    whole, parted = (model_of(tiny_encoder).train() for _ in range(2))
    for model in (whole, parted):
        model.use_words(Words(model.words.weight.detach(), range(2, 60), lazy=lazy))
    whole.backward(mini_batch("c", TASK, items(), seed=(1,), pieces=None))
    batch = mini_batch("c", TASK, items(), seed=(1,), pieces=40)
    assert len(batch.parts) == 3
    parted.backward(batch)
    for p, q in zip(parted.leaves(), whole.leaves(), strict=True):
        if q.grad is not None:
            torch.testing.assert_close(p.grad, q.grad, atol=1e-6, rtol=1e-4)


def test_the_parts_of_a_mini_batch_have_masks_of_their_own(tiny_encoder: Path, monkeypatch):
    model = model_of(tiny_encoder, dropout=0.5).train()
    seen: list[float] = []
    plain = MTBert.loss

    def noted(model: MTBert, part) -> torch.Tensor:
        loss = plain(model, part)
        seen.append(loss.item())
        return loss

    monkeypatch.setattr(MTBert, "loss", noted)
    (item,) = items((12,))
    twins = mini_batch("c", TASK, [item, item], seed=(1,), pieces=12)
    model.backward(twins)
    assert len(seen) == 2
    assert seen[0] != seen[1], "equal texts under equal masks"
    model.backward(twins)
    assert seen[:2] == seen[2:], "the same mini-batch of the same epoch has the same masks"


def test_a_neighbour_changes_nothing(tiny_encoder: Path):
    model = model_of(tiny_encoder).eval()
    same = items()
    other = [*same[:-1], Item(8, 0, [7] * 24, [0] * 24, [0], [0])]
    first, second = (model(collate("c", TASK, chosen)) for chosen in (same, other))
    places = [example for example, _, _ in collate("c", TASK, same).items]
    for row, example in enumerate(places):
        if example != 8:
            torch.testing.assert_close(first[row], second[row], atol=1e-6, rtol=0)


def test_only_the_first_layers_are_kept(tiny_encoder: Path):
    whole = encoder.load(tiny_encoder, layers=None, dropout=0.1, noise=Noise())
    cut = encoder.load(tiny_encoder, layers=1, dropout=0.1, noise=Noise())
    assert len(cut.encoder.layer) == 1
    weights = dict(whole.named_parameters())
    assert all(torch.equal(p, weights[name]) for name, p in cut.named_parameters())
