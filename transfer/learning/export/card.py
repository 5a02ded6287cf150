"""The model card (README.md) of an exported model: what it is, how to use it, its scores, data and terms."""

from collections.abc import Iterator, Sequence

from transfer.corpora.base import Card
from transfer.kinds import kind_of
from transfer.learning.export.read import Exported
from transfer.learning.kept_models import KeptModel
from transfer.records import CorpusRecord, JobResult
from transfer.tasks.tagging import LONGEST

# words of a licence under which texts, and what was made of them, are not to be passed on freely
RESTRICTED = ("agreement", "credentialed", "redistribut", "not be shared")
NON_COMMERCIAL = ("by-nc", "non-commercial", "noncommercial")

_LOAD = """\
import torch
from transformers import {auto}, AutoTokenizer

folder = "."  # where this file is
tokenizer = AutoTokenizer.from_pretrained(folder)
model = {auto}.from_pretrained(folder).eval()
"""
_LOGITS = """

@torch.no_grad()
def logits(*texts):
    encoded = tokenizer(*texts, truncation="longest_first", max_length={max_length}, return_tensors="pt")
    return model(**encoded).logits[0]
"""


def text(record: Exported, kept: KeptModel, *, first: JobResult, known: Sequence[CorpusRecord] = ()) -> str:
    """The card as Markdown. ``first`` is the result in the store, which an earlier training may have made.

    ``known``: where the cards of corpora are found that shared the encoder and are not the job's own.
    """
    lines = [*_head(record), *_warnings(record, kept, known), *_what(record), *_use(record)]
    lines += [*_scores(record, first), *_data(record, kept, known), *_recipe(record, kept)]
    return "\n".join(lines) + "\n"


def cautions(record: Exported, cards: Sequence[Card]) -> list[str]:
    """Cautions for whoever redistributes the model: synthetic data, and licences of its training data."""
    found = []
    if record.source == "synthetic":
        found.append("SYNTHETIC DATA: trained on invented text; it is of no use on real text.")
    for card in cards:
        licence = card.licence.lower()
        if any(word in licence for word in RESTRICTED):
            found.append(
                f"{card.name} is under terms that do not let its texts be passed on ({card.licence}); a "
                "model can give away parts of what it was trained on: ask who holds the rights before you "
                "share it."
            )
        elif any(word in licence for word in NON_COMMERCIAL):
            found.append(f"{card.name} is for non-commercial use ({card.licence}).")
        elif not licence or "no licence" in licence:
            found.append(f"{card.name}: no licence is known; find out before you share this model.")
    return found


def cards_of(record: Exported, kept: KeptModel, known: Sequence[CorpusRecord]) -> list[Card]:
    """The cards of all corpora that the encoder was trained on, as far as they are known."""
    cards = {c.card.name: c.card for c in known} | {name: task.card for name, task in kept.tasks.items()}
    return [cards[name] for name in sorted({*record.trained_with, *kept.tasks}) if name in cards]


def _head(record: Exported) -> Iterator[str]:
    yield "---"
    yield "library_name: transformers"
    yield f"pipeline_tag: {'text' if record.task.pooled else 'token'}-classification"
    yield "tags: [multi-task-learning]"
    yield "---"
    partners = [name for name in record.trained_with if name != record.card.name]
    yield f"# {record.card.name}" + (f", trained with {', '.join(partners)}" if partners else "") + "\n"


def _warnings(record: Exported, kept: KeptModel, known: Sequence[CorpusRecord]) -> Iterator[str]:
    for caution in cautions(record, cards_of(record, kept, known)):
        yield f"> **Caution.** {caution}\n"


def _what(record: Exported) -> Iterator[str]:
    yield kind_of(record.card.kind).description(record.card)
    yield (
        f"\nThe encoder is {record.encoder}, trained on {', '.join(record.trained_with)} by transfer "
        f"{record.transfer} (job {record.job}, {record.label}). These are the weights after epoch "
        f"{record.epoch}, which dev chose for this task.\n"
    )


def _use(record: Exported) -> Iterator[str]:
    yield "## Use\n\n```sh\ntransfer models predict . FILE.jsonl\n```\n"
    yield "Or with transformers alone. This gives the same predictions:\n"
    kind = kind_of(record.card.kind)
    auto = f"AutoModelFor{'Token' if not record.task.pooled else 'Sequence'}Classification"
    code = _LOAD + (_LOGITS if record.task.pooled else "") + kind.usage
    values = {"auto": auto, "texts": ", ".join(kind.text_keys(record.card)), "longest": LONGEST}
    for key, value in {**values, "max_length": record.recipe.max_length}.items():
        code = code.replace(f"{{{key}}}", str(value))
    yield f"```python\n{code.rstrip()}\n```\n"
    if record.recipe.precision == "bf16":
        yield (
            "It was trained and scored with products in bf16; in fp32 a prediction that is close to the "
            "border may differ.\n"
        )


def _scores(record: Exported, first: JobResult) -> Iterator[str]:
    yield "## Scores\n"
    rows = [(s.split, s.metric, s.shown, f"{s.items}") for s in record.scores]
    yield _table(("split", "measure", "score", "items"), rows)
    yield "Dev chose the epoch, so its score is too good; test was scored once.\n"
    before = tuple(s for s in first.scores if s.corpus == record.card.name)
    if before != record.scores:
        said = ", ".join(f"{s.split} {s.shown}" for s in before)
        yield (
            "These are the scores of the training that made these weights. The store's result of this job "
            f"was made by an earlier one, on another machine or with other versions: {said}.\n"
        )


def _data(record: Exported, kept: KeptModel, known: Sequence[CorpusRecord]) -> Iterator[str]:
    yield "## Data\n"
    items = {c.card.name: c.items for c in known} | {n: t.items for n, t in kept.tasks.items()}
    prints = {c.card.name: c.fingerprint for c in known} | {n: t.fingerprint for n, t in kept.tasks.items()}
    rows = []
    for card in cards_of(record, kept, known):
        counts = items[card.name]
        rows.append(
            (
                card.name, card.kind, " / ".join(f"{counts[s]}" for s in ("train", "dev", "test")),
                f"`{prints[card.name]}`", card.licence or "not known", card.source or "not known",
            )
        )  # fmt: skip
    yield _table(("corpus", "kind", "train / dev / test", "fingerprint", "licence", "source"), rows)
    missing = set(record.trained_with) - {row[0] for row in rows}
    if missing:
        yield f"Nothing is known here of {', '.join(sorted(missing))}, which shared the encoder.\n"
    for note in kept.tasks[record.card.name].notes:
        yield f"{record.card.name}: {note}.\n"


def _recipe(record: Exported, kept: KeptModel) -> Iterator[str]:
    yield "## Training\n"
    rows = [(key, f"{value}") for key, value in record.recipe.model_dump(exclude={"fine_tune"}).items()]
    made_by = [(key, value) for key, value in kept.result.provenance.items()]
    yield _table(("", ""), [*rows, ("seed", f"{kept.result.job.arm_seed}"), *made_by])


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    escaped = [[cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in lines]
    return "".join(f"| {' | '.join(line)} |\n" for line in escaped)
