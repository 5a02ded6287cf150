"""Request and result of pretraining: a checkpoint that says how it was made."""

import json
import math
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from transfer.corpora.texts import Texts
from transfer.encoders import HUB_FILES, EncoderFiles
from transfer.inputs import InputError
from transfer.learning import encoder, kernels
from transfer.learning.machine import provenance
from transfer.learning.pretraining.masked_model import MaskedLM
from transfer.learning.pretraining.masking import EXCHANGED, GUESSED, HIDDEN
from transfer.recipes import Recipe

RESULT = "pretraining.json"
FRESH = (
    "The checkpoint had no masked-language-model head: its last layer is the word table, the rest began at "
    "random. The perplexity before training says nothing of the encoder, and much of its fall is the head's."
)
FROZEN = "The encoder was frozen: the head alone learned."


@dataclass(frozen=True)
class Request:
    """A request for pretraining. The same request, encoder and text give the same result.

    ``recipe.epochs`` are passes over the text; ``steps``, where given, stand in their place.
    ``freeze``: the encoder stays as it is and the head alone learns, to compare with.
    """

    encoder: str
    recipe: Recipe
    layers: int | None = None
    steps: int | None = None
    whole_words: bool = False
    freeze: bool = False
    seed: int = 0

    def numbers(self) -> dict[str, Any]:
        """The recipe and what else was chosen."""
        recipe = self.recipe.model_dump(exclude={"fine_tune", *(["epochs"] if self.steps else [])})
        return {**recipe, **{k: v for k, v in vars(self).items() if k not in ("encoder", "recipe")}}

    def identity(self, *, encoder: str, text: str) -> dict[str, Any]:
        """All that the result depends on; ``encoder`` and ``text`` are fingerprints."""
        return {"encoder": encoder, "text": text, **self.numbers()}


@dataclass(frozen=True)
class Look:
    """A look at dev: after how many steps and passes over the text, and what was seen.

    ``loss``: the mean of training since the last look; ``likelihood``: the mean natural logarithm of the
    probability that the model gives to what is hidden in dev.
    """

    step: int
    passes: float
    loss: float | None
    likelihood: float

    @property
    def perplexity(self) -> float:
        return math.exp(min(-self.likelihood, 700.0))

    @property
    def shown(self) -> str:
        return f"{self.perplexity:,.{0 if self.perplexity >= 1000 else 2}f}"

    @property
    def line(self) -> str:
        loss = " " * 10 if self.loss is None else f"loss {self.loss:5.3f}"
        return f"step {self.step:6,}  epoch {self.passes:6.2f}  {loss}  dev perplexity {self.shown}"


@dataclass(frozen=True)
class Made:
    """A trained model with the weights of its best look after the first, which is from before training."""

    model: MaskedLM
    fresh_head: bool
    chosen: int
    looks: tuple[Look, ...]
    pieces: Mapping[str, int]
    notes: tuple[str, ...]


def told(request: Request, texts: Texts, *, fresh: bool, steps: int, pieces: Mapping[str, int]) -> str:
    """Description of the run that begins, for the terminal."""
    layers = f", its first {request.layers} layers" if request.layers else ""
    head = (
        "its masked-language-model head is fresh, the checkpoint has none" if fresh else "with its own head"
    )
    frozen = "; the encoder is frozen, the head alone learns" if request.freeze else ""
    return "\n".join(
        [
            f"encoder: {request.encoder}{layers}, {head}{frozen}",
            f"text: {len(texts.train):,} texts of {texts.documents[0]:,} documents to train on, "
            f"{len(texts.dev):,} of {texts.documents[1]:,} held out as dev",
            f"left out: {texts.repeated:,} that stand there twice, {texts.left_out:,} that stand in the dev "
            "or test split of a corpus named here",
            f"training: {steps:,} steps of {request.recipe.batch_size} sequences; a pass over the text has "
            f"{pieces['train']:,} word pieces",
        ]
    )


def is_done(to: Path, identity: Mapping[str, Any]) -> bool:
    """Whether ``to`` holds what is asked for. Raises InputError where it holds anything else."""
    if not os.path.lexists(to):
        return False
    try:
        made_by = json.loads((to / RESULT).read_bytes())["identity"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"{to}: is there already; nothing is overwritten, name a new folder") from None
    if made_by != identity:
        raise InputError(
            f"{to}: is there already, made otherwise ({_difference(made_by, identity)}); nothing is "
            "overwritten, name a new folder"
        )
    return True


def begun(to: Path, identity: Mapping[str, Any]) -> Path:
    """The folder of what is unfinished, with the run's identity in it.

    Raises InputError where one that is there is another run's, or it cannot be made.
    """
    folder = to.with_name(f"{to.name}.unfinished")
    file = folder / "identity.json"
    try:
        there = json.loads(file.read_bytes())
        if there != identity:
            raise InputError(
                f"{folder}: is of another run ({_difference(there, identity)}); give that command again to "
                "finish it, remove the folder, or name another one with --to"
            )
    except FileNotFoundError:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if any(folder.iterdir()):
                raise InputError(
                    f"{folder}: is in the way; remove it, or name another folder with --to"
                ) from None
            draft = folder / ".identity.json"
            draft.write_text(json.dumps(identity), encoding="utf-8")
            os.replace(draft, file)
        except OSError as error:
            raise InputError(f"{folder}: cannot be written to ({error.strerror or error})") from None
    except (OSError, ValueError):
        raise InputError(f"{folder}: is in the way; remove it, or name another folder with --to") from None
    return folder


def _difference(there: Any, asked: Mapping[str, Any]) -> str:
    if not isinstance(there, dict):
        return "by something else"
    keys = sorted(k for k in there.keys() | asked.keys() if there.get(k) != asked.get(k))
    return ", ".join(f"{k} {there.get(k)}, now {asked.get(k)}" for k in keys)


def write(
    made: Made,
    request: Request,
    files: EncoderFiles,
    texts: Texts,
    identity: Mapping[str, Any],
    *,
    to: Path,
    draft: Path,
) -> None:
    """Write the folder ``to``, whole or not at all; ``draft`` is one on the same file system."""
    shutil.rmtree(draft, ignore_errors=True)  # of a run that was killed while it wrote
    draft.mkdir()
    made.model.whole.config = encoder.config_of(files.folder, request.layers)
    made.model.whole.save_pretrained(draft)
    for pattern in HUB_FILES:
        for path in files.folder.glob(pattern):
            if path.name != "config.json" and ".safetensors" not in path.name:
                shutil.copyfile(path, draft / path.name)
    result = {
        "identity": identity,
        "encoder": {"name": request.encoder, "fingerprint": files.fingerprint, "fresh_head": made.fresh_head},
        "text": {
            "sources": [asdict(source) for source in texts.sources],
            "fingerprint": texts.fingerprint,
            "texts": {"train": len(texts.train), "dev": len(texts.dev)},
            "documents": dict(zip(("train", "dev"), texts.documents, strict=True)),
            "word_pieces": made.pieces,
            "repeated": texts.repeated,
            "in_dev_or_test_of_a_corpus": texts.left_out,
        },
        "looks": [
            {"step": x.step, "epoch": x.passes, "loss": x.loss, "dev_perplexity": x.perplexity}
            for x in made.looks
        ],
        "chosen_step": made.chosen,
        "notes": made.notes,
        "provenance": provenance() | kernels.taken(),
    }
    (draft / RESULT).write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    (draft / "README.md").write_text(_card(made, request, files, texts, name=to.name), encoding="utf-8")
    encoder.check(draft, layers=None, cased=files.cased)
    if is_done(to, identity):  # somebody else put something there meanwhile
        return
    os.rename(draft, to)


def _card(made: Made, request: Request, files: EncoderFiles, texts: Texts, *, name: str) -> str:
    """The model card: what the weights are, what they were trained on, and how well they do."""
    layers = f", its first {request.layers} layers" if request.layers else ""
    words = " (whole words)" if request.whole_words else ""
    sources = [f"| {s.path} | {s.kind} | {s.texts:,} | {s.sha256[:12]} |" for s in texts.sources]
    looks = [
        f"| {x.step:,} | {x.passes:.2f} | {'' if x.loss is None else f'{x.loss:.3f}'} | {x.shown} |"
        for x in made.looks
    ]
    paragraphs = [
        f"# {name}",
        f"`{request.encoder}` (fingerprint {files.fingerprint}{layers}) after {made.looks[-1].step:,} more "
        f"steps of masked-language-model training. The weights are those of step {made.chosen:,}, which has "
        "the best dev perplexity of those that were looked at after the first.",
        FRESH if made.fresh_head else "The masked-language-model head is the encoder's own, trained on.",
        FROZEN if request.freeze else "",
        "`AutoModel` and `AutoModelForMaskedLM` of transformers load this folder; a grid of `transfer` names "
        "it as its `encoder`. Whoever passes it on has to keep to the terms of the encoder and of the text.",
        "## Text",
        f"{len(texts.train):,} texts of {texts.documents[0]:,} documents ({made.pieces['train']:,} word "
        f"pieces) to train on; {len(texts.dev):,} of {texts.documents[1]:,} others were held out as dev. "
        f"Left out: {texts.repeated:,} that stood there twice, {texts.left_out:,} that stand in the dev or "
        "test split of a corpus named here.",
        "\n".join(["| from | what | texts | SHA-256 |", "| --- | --- | ---: | --- |", *sources]),
        "## Recipe",
        f"{GUESSED:.0%} of the word pieces{words} to be found out, anew each pass; of these {HIDDEN:.0%} "
        f"hidden, {EXCHANGED:.0%} exchanged. Adamax with decoupled decay; the rate rises, then falls to 0.",
        "\n".join(["| | |", "| --- | --- |", *(f"| {k} | {v} |" for k, v in request.numbers().items())]),
        "## Dev perplexity",
        "\n".join(
            ["| step | epoch | training loss | dev perplexity |", "| ---: | ---: | ---: | ---: |", *looks]
        ),
        f"All of this, and the versions, in numbers: `{RESULT}`.",
    ]
    return "\n\n".join(filter(None, paragraphs)) + "\n"
