"""Pretraining: an encoder learns on from text, by finding out hidden words (the paper's stage 1)."""

import shutil
from collections.abc import Callable
from pathlib import Path

from transfer.claims import Claims
from transfer.corpora.texts import Texts
from transfer.encoders import EncoderFiles, locate
from transfer.inputs import InputError
from transfer.learning import encoder, kernels
from transfer.learning.batches import TRAINING_PIECES
from transfer.learning.best import MEAN
from transfer.learning.checkpoint import Checkpoint
from transfer.learning.machine import device, provenance
from transfer.learning.pretraining import masked_model as masked
from transfer.learning.pretraining import record as pretrained
from transfer.learning.pretraining.masking import TEXT, MaskedText, Masks, encode, held_out, steps_of_pass
from transfer.learning.pretraining.record import Look, Made, Request
from transfer.learning.train import train
from transfer.store import Store

# at most so many steps lie between two looks at dev, each of which may be a checkpoint
ROUND = 200
RUN = "run"

Tell = Callable[[str], None]


def pretrain(
    request: Request, texts: Texts, to: Path, *, checkpoint_seconds: float = 60.0, tell: Tell = lambda _: None
) -> Path:
    """Train an encoder on the texts, and write it into the new folder ``to``, which is returned.

    The folder is a checkpoint of transformers (safetensors, tokenizer, masked-language-model head) with a
    README.md and a pretraining.json that say how it was made. Until it is whole, ``<to>.unfinished`` holds
    what the same call goes on from. ``tell`` receives lines for a person. Raises InputError where the encoder
    does not fit or ``to`` holds something else, Diverged where a loss is no number any more.
    """
    recipe = request.recipe
    files = locate(
        request.encoder, layers=request.layers, pieces=recipe.max_length, precision=recipe.precision
    )
    identity = request.identity(encoder=files.fingerprint, text=texts.fingerprint)
    if pretrained.is_done(to, identity):
        tell(f"{to}: is there already, made by this very command; nothing to do")
        return to
    encoder.check(files.folder, layers=request.layers, cased=files.cased)
    if encoder.tokenizer_of(files.folder).mask_token_id is None:
        raise InputError(f"{files.folder}: the tokenizer has no mask token, so no word can be hidden")
    store = Store(pretrained.begun(to, identity))
    claim = Claims(store.files, run=RUN).take(RUN)
    if claim is None:
        raise InputError(f"{to}: another process is at work on it")
    with claim:
        made = _trained(request, files, texts, store, checkpoint_seconds=checkpoint_seconds, tell=tell)
        pretrained.write(made, request, files, texts, identity, to=to, draft=store.root / "draft")
    shutil.rmtree(store.root)
    chosen = next(look for look in made.looks if look.step == made.chosen)
    tell(f"{to}: written, as of step {chosen.step} (dev perplexity {chosen.shown})")
    return to


def _trained(
    request: Request,
    files: EncoderFiles,
    texts: Texts,
    store: Store,
    *,
    checkpoint_seconds: float,
    tell: Tell,
) -> Made:
    kernels.forget()
    recipe, tokenizer = request.recipe, encoder.tokenizer_of(files.folder)
    masks = Masks(tokenizer, whole_words=request.whole_words)
    train_text = encode(texts.train, tokenizer, max_length=recipe.max_length)
    dev_text = encode(texts.dev, tokenizer, max_length=recipe.max_length)
    model, fresh = masked.load(
        files.folder, layers=request.layers, recipe=recipe, seed=request.seed, freeze=request.freeze
    )
    model.to(device())
    total, rounds = _extent(request, steps_of_pass(len(train_text), recipe.batch_size))
    stream = MaskedText(
        train_text,
        masks,
        batch_size=recipe.batch_size,
        seed=request.seed,
        total=total,
        rounds=rounds,
        device=device(),
        pieces=TRAINING_PIECES if device().type == "cpu" else None,
    )
    dev = held_out(dev_text, masks, device=device())
    pieces = {"train": sum(len(t.ids) for t in train_text), "dev": sum(len(t.ids) for t in dev_text)}
    tell(pretrained.told(request, texts, fresh=fresh, steps=total, pieces=pieces))
    looks = [Look(step=0, passes=0.0, loss=None, likelihood=masked.likelihood(model, dev))]
    tell(looks[0].line)

    def look(epoch) -> Look:
        step = stream.steps(epoch.epoch)
        return Look(step, step / stream.steps_of_pass, epoch.loss[TEXT], epoch.dev[TEXT])

    notes: list[str] = []
    best, history = train(
        model,
        mixture=stream,
        dev={TEXT: dev},
        measure=masked.likelihood,
        recipe=recipe.model_copy(update={"epochs": rounds}),
        checkpoint=Checkpoint(
            store,
            RUN,
            made_by={key: value for key, value in provenance().items() if key != "threads"},
            seconds=checkpoint_seconds,
            tell=notes.append,
        ),
        watch=lambda so_far: tell(look(so_far[-1]).line),
    )
    model.load_state_dict(best.weights[best.epoch[MEAN]])
    return Made(
        model=model,
        fresh_head=fresh,
        chosen=stream.steps(best.epoch[MEAN]),
        looks=(*looks, *map(look, history)),
        pieces=pieces,
        notes=tuple(notes),
    )


def _extent(request: Request, steps_of_pass: int) -> tuple[int, int]:
    """All steps, and in how many rounds; where passes are asked for, rounds end where a pass does."""
    if request.steps is not None:
        return request.steps, -(-request.steps // min(ROUND, steps_of_pass))
    return request.recipe.epochs * steps_of_pass, request.recipe.epochs * -(-steps_of_pass // ROUND)
