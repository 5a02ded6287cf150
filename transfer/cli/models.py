"""Commands ``models export`` and ``models predict``."""

import json
import shlex
from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from transfer.cli import own
from transfer.cli.terminal import examples, paragraph, say
from transfer.inputs import InputError, did_you_mean

if TYPE_CHECKING:
    from transfer.corpora.base import Card
    from transfer.corpora.own.unlabelled import UnlabelledTexts
    from transfer.jobs import Job
    from transfer.learning.export.read import Exported
    from transfer.records import GridRecord
    from transfer.store import Store

E = TypeVar("E", bound=StrEnum)

app = typer.Typer()


@app.command(
    epilog=examples(
        "transfer models export 0ea74d5c62dae597 --to my-model",
        'transfer models export "refine mednli+shareclefe seed 0" --task mednli --to my-model',
    )
)
def export(
    job: Annotated[
        str,
        typer.Argument(metavar="JOB", help="Id of a job, its beginning, or its label, as `plan` shows them."),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="New folder for the model.")],
    task: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Task of the job (default: all, a folder below DIR for each)."),
    ] = None,
    store_dir: Annotated[
        Path, typer.Option("--store", metavar="DIR", help="Folder or bucket of the results.")
    ] = Path("runs"),
) -> None:
    """Export a trained model in transformers format, with a model card."""
    from transfer.learning.export import card
    from transfer.learning.export.write import export
    from transfer.learning.kept_models import kept_model
    from transfer.store import Store

    store = Store(store_dir)
    grids = store.grids()
    found = _job(store, grids, job)
    if not store.has_model(found.id):
        raise InputError(_not_kept(store, grids, found))
    known = [c for record in grids if found in record.jobs for c in record.corpora]
    written = export(store, found.id, to=to, task=task, known=known)
    kept = kept_model(store, found.id)
    places = [to / record.card.name if len(written) > 1 else to for record in written]
    for record, where in zip(written, places, strict=True):
        score = next(s for s in record.scores if s.split == "test")
        say(f"{where}: {record.card.name}, test {score.metric} {score.shown}, of epoch {record.epoch}")
    cautions = [c for r in written for c in card.cautions(r, card.cards_of(r, kept, known))]
    for caution in dict.fromkeys(cautions):
        say(paragraph(f"caution: {caution}"), error=True)
    if kept.result.scores != store.get(found.id).scores:
        say(
            "note: trained again, to other numbers than the store's result; see Scores in README.md",
            error=True,
        )
    say(f"next: transfer models predict {shlex.quote(str(places[0]))} FILE")


@app.command(
    epilog=examples(
        "transfer models predict my-model new.jsonl",
        "transfer models predict my-model notes.csv --text sentence --to labelled.jsonl",
        "transfer models predict my-tagger notes.txt --format text",
    )
)
def predict(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder that `models export` wrote.")],
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="CSV, TSV, JSON lines, Parquet, a saved dataset, or plain text; for a tagger also CoNLL "
            "columns and a folder of documents (.txt).",
        ),
    ],
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="New file for the answers (default: stdout).")
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column of the text, or of a tagger's tokens (default: text, text_a or tokens).",
        ),
    ] = None,
    text_b: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of a pair's second text (default: text_b).")
    ] = None,
    id_: Annotated[
        str | None,
        typer.Option(
            "--id", metavar="COLUMN", help="Column of the id (default: id; rows without are numbered)."
        ),
    ] = None,
    sentence: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column that numbers the sentences, where a row is one token."),
    ] = None,
    doc: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column of a sentence's document.")
    ] = None,
    no_header: Annotated[
        bool, typer.Option("--no-header", help="Table without a header; its columns are called 1, 2, ….")
    ] = False,
    delimiter: Annotated[
        str | None,
        typer.Option(
            metavar="CHAR", help="Character between a table's columns, or its name (default: detected)."
        ),
    ] = None,
    quoting: Annotated[
        str | None,
        typer.Option(
            metavar="STYLE", help="Quotation marks in a table: double, backslash or none (default: detected)."
        ),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Text encoding, such as cp1252 (default: UTF-8).")
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="LAYOUT",
            help="Layout of plain text: text (one text per line), tokens (one token per line) or conll "
            "(columns, the first is the token); default: by content, and said on stderr.",
        ),
    ] = None,
    tokenization: Annotated[
        str | None,
        typer.Option(
            "--tokenize",
            metavar="HOW",
            help="Division of a tagger's texts into tokens: spaces, or rules, as in prepared brat corpora "
            "(default: rules for plain text and the column text, else spaces).",
        ),
    ] = None,
) -> None:
    """Predict each text of a file: one JSON object per text, in order."""
    from transfer.corpora.own.intake import Asked, Tokenization
    from transfer.corpora.own.plain import Layout
    from transfer.corpora.own.unlabelled import texts_of
    from transfer.learning.evaluate import Diverged
    from transfer.learning.export.read import open_model, record_of

    if to is not None:
        _check_new(to)
    asked = Asked(
        text=text,
        text_b=text_b,
        id=id_,
        doc=doc,
        sentence=sentence,
        layout=_choice(layout, Layout, "--format"),
        tokenization=_choice(tokenization, Tokenization, "--tokenize"),
        dialect=own.dialect_of(delimiter, quoting, encoding, header=not no_header),
    )
    record = record_of(folder)
    card = record.card
    texts = texts_of(card, file, asked)
    for note in [*texts.notes, *_cut(record, folder, texts)]:
        say(paragraph(f"note: {note}"), error=True)
    try:
        predicted = open_model(folder).predict(texts.examples)
    except Diverged:
        raise InputError(
            f"{folder}: the model's outputs are not finite numbers, so it predicts nothing; train it again "
            "with a lower learning rate"
        ) from None
    lines = (_json(row) for row in _rows(card, texts, predicted))
    if to is None:
        say("\n".join(lines))
        return
    _write(to, lines)
    say(f"wrote {len(texts.examples)} lines to {to}")


def _cut(record: "Exported", folder: Path, texts: "UnlabelledTexts") -> list[str]:
    """The sentence on texts that are longer than the model reads; a tagger reads all tokens of a sentence."""
    from transfer.kinds import kind_of
    from transfer.lengths import SubwordCounter

    if kind_of(record.card.kind).tokenized or not (folder / "tokenizer.json").is_file():
        return []
    limit = record.recipe.max_length
    count = SubwordCounter(folder).truncated([example.text for example in texts.examples], limit)
    told = f"{count} of {len(texts.examples)} texts have more than {limit} subword tokens"
    return [f"{told}; the model does not read what is beyond"] if count else []


def _choice(value: str | None, choices: type[E], option: str) -> E | None:
    if value is None or value in list(choices):
        return None if value is None else choices(value)
    raise InputError(f"{option}: should be {' or '.join(choices)}, not '{value}'")


def _check_new(to: Path) -> None:
    if to.exists():
        raise InputError(f"{to}: exists already; nothing was written, name another file with --to")
    if not to.absolute().parent.is_dir():
        raise InputError(f"{to}: there is no folder {to.parent} to write to; create it first")


def _rows(card: "Card", texts: "UnlabelledTexts", predicted: Sequence[Any]) -> Iterator[dict[str, Any]]:
    from transfer.kinds import kind_of

    kind = kind_of(card.kind)
    for item, starts, value in zip(texts.examples, texts.starts, predicted, strict=True):
        row: dict[str, Any] = {"id": item.id}
        if item.doc:
            row["doc"] = item.doc
        if kind.tokenized:
            row["tokens"] = list(item.text)
        if starts is not None:
            row["starts"] = starts
        yield {**row, kind.gold: value}


# they end a line for many readers, but JSON leaves them as they are
_LINE_ENDS = str.maketrans({end: f"\\u{ord(end):04x}" for end in "\x85\u2028\u2029"})


def _json(row: dict[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False).translate(_LINE_ENDS)


def _write(to: Path, lines: Iterator[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    try:
        file = to.open("x", encoding="utf-8", newline="\n")
    except OSError as error:
        raise InputError(f"{to}: cannot be written to ({error.strerror or error})") from None
    try:
        with file:
            file.write(text)
    except BaseException:
        to.unlink(missing_ok=True)
        raise


def _job(store: "Store", grids: "Sequence[GridRecord]", said: str) -> "Job":
    """The one job that an id, its beginning, or a label means, and that is done. Raises InputError."""
    jobs = {job.id: job for record in grids for job in record.jobs}
    ids = sorted({*jobs, *store.files.names("jobs")})
    found = [id_ for id_ in ids if said and id_.startswith(said)]
    found = found or [id_ for id_, job in jobs.items() if job.label == " ".join(said.split())]
    if not found:
        near = did_you_mean(said, (job.label for job in jobs.values())) if " " in said else ""
        near = near if near.startswith("; did") else "; 'transfer plan GRID' shows ids and labels"
        raise InputError(f"{store.place}: no job has the id or the label '{said}'{near}")
    if len(found) > 1:
        done = [id_ for id_ in found if store.is_done(id_)]
        found = done if len(done) == 1 else found
    if len(found) > 1:
        some = ", ".join(found[:5]) + (", …" if len(found) > 5 else "")
        raise InputError(
            f"{store.place}: '{said}' may be any of {len(found)} jobs: {some}; name one by its id"
        )
    try:
        result = store.get(found[0])
    except FileNotFoundError:
        raise InputError(f"the job {found[0]} has not run yet; 'transfer run-grid GRID' runs it") from None
    if result.status == "failed":
        raise InputError(f"the job {result.id} ({result.job.label}) failed: {result.reason}")
    return result.job


def _not_kept(store: "Store", grids: "Sequence[GridRecord]", job: "Job") -> str:
    named = [record.grid.name for record in grids if any(j.id == job.id for j in record.jobs)]
    grid = f"the file of the grid '{named[0]}'" if named else "the file of its grid"
    place = "" if store.place == "runs" else f" --store {shlex.quote(store.place)}"
    return (
        f"the model of {job.label} ({job.id}) was not kept; GRID being {grid}, with the options that it was "
        f"run with, this trains that job again, to the same numbers, and keeps the model: "
        f"transfer run-grid GRID{place} --set 'keep=[\"{job.id}\"]'"
    )
