"""Every known family of encoders, as a tiny random model: packed and padded give the same numbers."""

from pathlib import Path

import pytest
import torch
from transformers import AutoModel

from tests.families import SIZES, write_family
from transfer import encoders
from transfer.corpora import load_one
from transfer.corpora.base import Card
from transfer.encoders import FAMILIES
from transfer.jobs import Encoder, Job, Trained
from transfer.learning import encoder
from transfer.learning.batches import collate, mini_batch
from transfer.learning.dropout import Noise
from transfer.learning.lazy_embedding import Words
from transfer.learning.mtbert import MTBert
from transfer.learning.run import run
from transfer.learning.worker_data import Site
from transfer.recipes import Recipe
from transfer.tasks import Item, task_of
from transfer.tasks.tagging import Tagging, word_mark

TASK = task_of(Card(name="c", kind="classification", metric="accuracy", labels=("a", "b", "c")))
LENGTHS = (5, 17, 2, 9, 30, 9, 3, 11, 24)


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def family(request, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny encoder, of each family in turn."""
    return write_family(tmp_path_factory.mktemp(request.param), request.param)


def items(lengths=LENGTHS) -> list[Item]:
    """Random sequences; the second half of each is its second text."""
    generator = torch.Generator().manual_seed(1)
    return [
        Item(
            i,
            0,
            torch.randint(5, 60, (n,), generator=generator).tolist(),
            [int(at >= n // 2) for at in range(n)],
            [0],
            [i % 3],
        )
        for i, n in enumerate(lengths)
    ]


def model_of(folder: Path, *, dropout: float = 0.0, layers: int | None = None) -> MTBert:
    noise = Noise()
    recipe = Recipe(lr=1e-3, epochs=1, batch_size=8, dropout=dropout)
    loaded = encoder.load(folder, layers=layers, dropout=dropout, noise=noise)
    return MTBert(loaded, {"c": TASK}, noise=noise, recipe=recipe, seed=3)


def vectors(model: MTBert, chosen: list[Item]) -> dict[int, torch.Tensor]:
    """Each sequence's last layer [length, width], from one row that holds all of them."""
    batch = collate("c", TASK, chosen)
    hidden = encoder.last_layer(model.encoder, batch.rows[batch.ids], batch, noise=model.noise)
    lengths = {item.example: len(item.ids) for item in chosen}
    order = [example for example, _, _ in batch.items]
    return dict(zip(order, hidden.split([lengths[example] for example in order]), strict=True))


@torch.no_grad()
def test_a_row_of_sequences_equals_the_plain_padded_model(family: Path):
    ours = vectors(model_of(family).eval(), items())
    theirs = AutoModel.from_pretrained(family, attn_implementation="eager").eval()
    longest = max(LENGTHS) + 6
    pad = theirs.config.pad_token_id
    padding = [longest - len(item.ids) for item in items()]
    given = {
        "input_ids": [[*item.ids, *[pad] * n] for item, n in zip(items(), padding, strict=True)],
        "attention_mask": [[1] * len(item.ids) + [0] * n for item, n in zip(items(), padding, strict=True)],
    }
    if getattr(theirs.config, "type_vocab_size", 0) > 1:
        given["token_type_ids"] = [[*item.types, *[0] * n] for item, n in zip(items(), padding, strict=True)]
    expected = theirs(**{name: torch.tensor(rows) for name, rows in given.items()}).last_hidden_state
    for item, row in zip(items(), expected, strict=True):
        torch.testing.assert_close(ours[item.example], row[: len(item.ids)], atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_row_of_sequences_equals_one_by_one(family: Path):
    model = model_of(family).eval()
    together = vectors(model, items())
    for item in items():
        alone = vectors(model, [item])[item.example]
        torch.testing.assert_close(together[item.example], alone, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_neighbour_changes_nothing_and_the_rest_of_a_sequence_much(family: Path):
    model = model_of(family).eval()
    same = items()
    other = [*same[:-1], Item(8, 0, [7] * 24, [0] * 24, [0], [0])]
    first, second = vectors(model, same), vectors(model, other)
    for example in range(8):
        torch.testing.assert_close(first[example], second[example], atol=1e-6, rtol=0)
    assert (first[8] - second[8]).abs().max() > 0.1
    # the first token, which texts are read from, knows of the last
    changed = [*same[:4], Item(4, 0, [*same[4].ids[:-1], 61], same[4].types, [0], [0])]
    assert (vectors(model, changed)[4][0] - first[4][0]).abs().max() > 1e-3


def test_what_is_not_read_is_not_needed(family: Path):
    """The vectors that are wanted, and the gradients they lead to, are those of a whole last layer."""
    wanted = torch.tensor([0, 3, 4, 30, 31, 33, 60, sum(LENGTHS) - 1])
    whole, part = (model_of(family).train() for _ in range(2))
    batch = collate("c", TASK, items())
    seen: list[tuple[int, ...]] = []
    place = FAMILIES[whole.encoder.config.model_type].tokenwise
    if place:
        behind = encoder.layers_of(part.encoder)[-1].get_submodule(place)
        behind.register_forward_hook(lambda _, rows, out: seen.append(tuple(out.shape)))
    ids = batch.rows[batch.ids]
    expected = encoder.last_layer(whole.encoder, ids, batch, noise=whole.noise)[wanted]
    found = encoder.last_layer(part.encoder, ids, batch, noise=part.noise, only=wanted)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
    assert seen == ([(1, len(wanted), found.shape[-1])] if place else [])
    weights = torch.randn(found.shape, generator=torch.Generator().manual_seed(5))
    for vectors_read in (expected, found):
        (vectors_read * weights).sum().backward()
    for (name, p), q in zip(whole.named_parameters(), part.named_parameters(), strict=True):
        if p.grad is not None:
            torch.testing.assert_close(q[1].grad, p.grad, atol=1e-5, rtol=1e-4, msg=name)


def test_training_in_bf16_gives_nearly_the_same_gradients(family: Path, request: pytest.FixtureRequest):
    """The queries and keys of ModernBERT are in fp32 where its values are not."""
    if not FAMILIES[encoders.config_of(family)["model_type"]].bf16:  # refused before a job begins
        request.applymarker(pytest.mark.xfail(strict=True, raises=RuntimeError, reason="Family.bf16"))
    plain, rounded = (model_of(family, dropout=1e-9).train() for _ in range(2))
    rounded.bf16 = True
    for model in (plain, rounded):
        model.use_words(Words(model.words.weight.detach(), range(2, 62), lazy=False))
        model.loss(collate("c", TASK, items())).backward()
    found, expected = (
        torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        for model in (rounded, plain)
    )
    assert not torch.equal(found, expected)
    assert (found - expected).norm() < 0.05 * expected.norm()


def test_gradients_are_those_of_one_by_one(family: Path):
    """With dropout so small that no element falls, training takes the path with masks."""
    for dropout in (0.0, 1e-9):
        row, single = (model_of(family, dropout=dropout).train() for _ in range(2))
        for model in (row, single):  # the table itself is one for all models
            model.use_words(Words(model.words.weight.detach(), range(2, 62), lazy=False))
        row.loss(collate("c", TASK, items())).backward()
        for item in items():
            (single.loss(collate("c", TASK, [item])) / len(LENGTHS)).backward()
        seen = 0
        for (name, p), q in zip(row.named_parameters(), single.parameters(), strict=True):
            assert (p.grad is None) == (q.grad is None), name
            if p.grad is not None:
                seen += 1
                torch.testing.assert_close(p.grad, q.grad, atol=1e-5, rtol=1e-3, msg=name)
        assert seen > 20


def test_the_words_of_a_job_stand_in_for_the_table(family: Path):
    plain, lazy = (model_of(family).train() for _ in range(2))
    lazy.use_words(Words(lazy.words.weight.detach(), range(2, 62)))
    plain.words.weight.grad = None  # the table itself is one for all models
    batch = mini_batch("c", TASK, items(), seed=(1,), pieces=40)
    assert len(batch.parts) > 1
    assert plain.backward(batch).item() == pytest.approx(lazy.backward(batch).item(), rel=1e-6)
    dense = plain.words.weight.grad
    torch.testing.assert_close(lazy.words.read.grad, dense[batch.rows], atol=1e-6, rtol=1e-4)


def test_dropout_is_everywhere_and_its_masks_belong_to_the_mini_batch(family: Path):
    model = model_of(family, dropout=0.5).train()
    assert not [m for m in model.modules() if isinstance(m, torch.nn.Dropout)], "masks of no mini-batch"
    drawn: list[int] = []
    plain = model.noise.bits
    model.noise.bits = lambda count: drawn.append(count) or plain(count)  # type: ignore[method-assign]
    one, other = (mini_batch("c", TASK, items(), seed=(seed,), pieces=None) for seed in (1, 2))
    losses = [model.backward(batch).item() for batch in (one, other, one)]
    assert losses[0] == losses[2] != losses[1]
    heads = SIZES["num_attention_heads"]
    squares = [group.count * heads * group.length**2 for group in one.parts[0].packing.groups]
    # a group at a time, or all of them at once
    assert {*squares, sum(squares)} & set(drawn), "no mask of attention"


@torch.no_grad()
def test_the_first_layers_are_the_first_layers(family: Path):
    cut, whole = model_of(family, layers=1), model_of(family)
    weights = dict(whole.named_parameters())
    kept = dict(cut.named_parameters())
    assert len(kept) < len(weights)
    assert all(torch.equal(p, weights[name]) for name, p in kept.items())
    assert not torch.equal(vectors(cut.eval(), items())[4], vectors(whole.eval(), items())[4])


def test_a_far_token_is_seen_by_no_layer_with_a_window(tmp_path: Path):
    """ModernBERT's second layer alone sees four tokens to either side, in each sequence anew."""
    folder = write_family(tmp_path / "modernbert", "modernbert")
    model = model_of(folder, layers=2).eval()
    _, local = model.encoder.layers
    assert local.attention_type == "sliding_attention"
    seen = []
    plain = local.attn.forward

    def noted(*args, **kwargs):
        states = args[0].detach().requires_grad_()
        out = plain(states, *args[1:], **kwargs)
        (gradient,) = torch.autograd.grad(out[0][0, at].sum(), states)
        seen.append(gradient[0].abs().sum(-1).nonzero().flatten().tolist())
        return out

    local.attn.forward = noted
    batch = collate("c", TASK, items((12, 12)))
    at = 14  # the third token of the second sequence
    model(batch)
    assert seen == [list(range(12, 19))]


def test_a_job_of_every_kind_trains(family: Path, tiny_corpora: Path, tmp_path: Path):
    recipe = Recipe(lr=0.01, epochs=4, batch_size=4)
    names = ("multi", "ner", "rel", "sim")
    job = Job(
        stage="refine",
        corpora=tuple(Trained(name=n, fingerprint=load_one(str(tiny_corpora), n).fingerprint) for n in names),
        seed=0,
        recipe=recipe,
        encoder=Encoder(name=str(family)),
        encoder_fingerprint=encoders.locate(str(family), pieces=recipe.max_length).fingerprint,
    )
    site = Site(store=tmp_path / "runs", corpora=str(tiny_corpora), encoder=family)
    result = run(job, site, keep_encoder=True)
    assert result.status == "done", result.error
    first, last = result.history[0].loss, result.history[-1].loss
    assert all(last[name] < first[name] for name in names), (first, last)
    assert last["ner"] < 0.7 * first["ner"]


def test_a_token_is_encoded_as_a_word(family: Path):
    """Tokens are encoded as in running text, after a space: byte-level tokenizers tell the two apart."""
    tokenizer = encoder.tokenizer_of(family)
    tokens = ["patient", "has", "pain"]
    mark = word_mark(tokenizer)
    assert (mark == " ") == (family.name.startswith(("roberta", "modernbert", "deberta0")))
    card = Card(name="t", kind="tagging", metric="span_f1", entities=("Sign",))

    class Told:
        text, gold = tokens, ("O", "O", "B-Sign")

    (item,) = Tagging(card).encode([Told], tokenizer, max_length=32)  # type: ignore[list-item]
    running = tokenizer(" patient has pain")["input_ids"]
    assert list(item.ids) == running
    assert [item.ids[at] for at in item.read] == [
        tokenizer(f" {token}", add_special_tokens=False)["input_ids"][0] for token in tokens
    ]


def test_every_family_passes_the_check(family: Path):
    encoder.check(family, layers=None)
    encoder.check(family, layers=1)
