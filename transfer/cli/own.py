"""``transfer corpora prepare own``: the options about one's own files, and the command behind them."""

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar, get_args

import typer

from transfer.cli import completion
from transfer.cli.terminal import say
from transfer.inputs import InputError, did_you_mean

if TYPE_CHECKING:
    from transfer.corpora.base import Split
    from transfer.corpora.own import Request
    from transfer.corpora.own.tables import Dialect
    from transfer.kinds import Kind

T = TypeVar("T")

FromFiles = Annotated[
    list[Path] | None,
    typer.Option("--from", metavar="FILE", help="File or folder to read; repeat for several."),
]
KindName = Annotated[
    str | None,
    typer.Option(
        "--kind",
        help="Kind of task: tagging, classification, similarity or multilabel.",
        autocompletion=completion.kinds,
    ),
]
CorpusName = Annotated[str | None, typer.Option("--name", help="Name of the new corpus.")]
TextColumn = Annotated[
    str | None, typer.Option("--text", metavar="COLUMN", help="Column of the text, or of the tokens.")
]
SecondColumn = Annotated[
    str | None,
    typer.Option("--text-b", metavar="COLUMN", help="Column of the second text; '' for none."),
]
LabelColumn = Annotated[
    str | None,
    typer.Option(
        "--label",
        metavar="COLUMN",
        help="Column of the label, labels or tags; several of tags, with commas, make a corpus each.",
    ),
]
ScoreColumn = Annotated[str | None, typer.Option("--score", metavar="COLUMN", help="Column of the score.")]
IdColumn = Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="Column of the id.")]
DocColumn = Annotated[
    str | None,
    typer.Option(
        "--doc", metavar="COLUMN", help="Column of the document; no document is divided between splits."
    ),
]
Separator = Annotated[
    str | None, typer.Option("--separator", help="Character between the labels in a cell (default: ;).")
]
Negative = Annotated[
    str | None,
    typer.Option("--negative", metavar="LABEL", help="Negative label, which micro-F1 does not count."),
]
MetricName = Annotated[str | None, typer.Option("--metric", help="Metric, for kinds that have several.")]
Delimiter = Annotated[
    str | None,
    typer.Option(
        "--delimiter",
        metavar="CHAR",
        help="Character between columns: comma, semicolon, tab, pipe or another (default: detected).",
    ),
]
NoHeader = Annotated[
    bool,
    typer.Option("--no-header", help="Table without a header; its columns are called 1, 2, …."),
]
QuotingName = Annotated[
    str | None,
    typer.Option(
        "--quoting",
        metavar="STYLE",
        help='Quotation marks in tables: double ("" inside a cell), backslash, or none if they are '
        "ordinary characters (default: detected).",
    ),
]
EncodingName = Annotated[
    str | None,
    typer.Option("--encoding", metavar="NAME", help="Text encoding, such as cp1252 (default: UTF-8)."),
]
LabelNames = Annotated[
    str | None,
    typer.Option(
        "--labels",
        metavar="NAMES",
        help="Names of multi-hot labels or numbered tags, in order, separated by commas.",
    ),
]
EncoderName = Annotated[
    str | None,
    typer.Option("--encoder", help="Encoder for which too long texts are counted (default: minilm-l6)."),
]
Strict = Annotated[bool, typer.Option("--strict", help="Errors instead of assumptions.")]
TrainFile = Annotated[Path | None, typer.Option("--train", metavar="FILE", help="Training split.")]
DevFile = Annotated[
    Path | None, typer.Option("--dev", metavar="FILE", help="Dev split, which chooses the epoch.")
]
TestFile = Annotated[Path | None, typer.Option("--test", metavar="FILE", help="Test split.")]


@dataclass(frozen=True)
class Said:
    """The options about one's own files, as they were typed; None is not typed."""

    kind: str | None
    sources: list[Path] | None
    name: str | None
    text: str | None
    text_b: str | None
    label: str | None
    score: str | None
    id: str | None
    doc: str | None
    separator: str | None
    negative: str | None
    metric: str | None
    train: Path | None
    dev: Path | None
    test: Path | None
    delimiter: str | None = None
    quoting: str | None = None
    encoding: str | None = None
    labels: str | None = None
    encoder: str | None = None
    strict: bool | None = None
    no_header: bool | None = None
    sentence: str | None = None
    entity: str | None = None
    scheme: str | None = None
    blank_tokens: str | None = None

    def options(self) -> list[str]:
        """The options that were typed, as they are typed."""
        keys = [key for key, value in vars(self).items() if value is not None]
        return ["--from" if key == "sources" else f"--{key.replace('_', '-')}" for key in keys]


def prepare(said: Said, *, to: Path, force: bool) -> None:
    """Make a prepared corpus from a user's own files, or one from each column of tags.

    Nothing is written where one cannot be read. Raises InputError for options that do not go together.
    """
    from transfer.cli.own_summary import doubts_of, lines_of
    from transfer.cli.own_tagged import for_each_label
    from transfer.corpora.own import read
    from transfer.corpora.prepared import from_rows
    from transfer.corpora.undefined import foreseen
    from transfer.corpora.writing import write

    kind = _kind(said)
    requests = [_request(one, kind) for one in for_each_label(said, kind)]
    for request in requests:
        home = to / request.name
        if home.exists() and not force:
            raise InputError(f"{home}: already exists; --force replaces it")
    read_ = [read(request) for request in requests]
    summaries: list[list[str]] = []
    for card, reading in read_:
        corpus = from_rows(card.model_dump(), reading.rows, source="prepared")
        doubts = doubts_of(reading.doubts, list(foreseen(corpus)), strict=bool(said.strict))
        summaries.append([*lines_of(card, reading, said.encoder), *doubts])
    for (card, reading), lines in zip(read_, summaries, strict=True):
        made = write(card, reading.rows, to, replace=force)
        for line in lines:
            say(line)
        say(f"metric: {card.metric}")
        say(f"splits: {reading.splits}")
        for note in (*reading.notes, *(f"in a grid, {note}" for note in made.notes)):
            say(f"note: {note}")
        say(f"wrote {to / card.name}")
    names = ", ".join(request.name for request in requests)
    say("next:")
    say(f"  transfer corpora check {shlex.quote(str(to))}")
    say(f"  transfer run-grid GRID.yaml --corpora {shlex.quote(str(to))}   # a grid that names {names}")


def _kind(said: Said) -> "Kind":
    from transfer.kinds import KINDS, kind_of

    if said.kind is None:
        raise InputError(f"no kind of task is given; use --kind: {', '.join(KINDS)}")
    return kind_of(_one_of(said.kind, list(KINDS), "--kind"))


def _request(said: Said, kind: "Kind") -> "Request":
    from transfer.cli.own_tagged import tagging_of
    from transfer.corpora.own import Columns, Request

    metric = None if said.metric is None else _one_of(said.metric, kind.metrics, "--metric")
    _fit_kind(said, kind)
    if said.separator is not None and not said.separator.strip(" "):
        raise InputError("--separator: should be a character that stands between labels, as in ';'")
    if metric in ("f1", "micro_f1") and said.negative is None:
        raise InputError(f"--metric {metric} needs --negative LABEL, the label that is left out")
    columns = Columns(said.text, said.text_b, said.label, said.score, said.id, said.doc, said.sentence)
    for column, count in Counter(columns.said().values()).items():
        if count > 1:
            options = [option for option, name in columns.said().items() if name == column]
            raise InputError(f"{' and '.join(options)} name the same column '{column}'")
    return Request(
        kind=kind.name,
        name=_name(said.name),
        sources=_sources(said),
        columns=columns,
        separator=said.separator or ";",
        negative=said.negative,
        metric=metric,
        tagging=tagging_of(said, metric),
        dialect=dialect_of(said.delimiter, said.quoting, said.encoding, header=not said.no_header),
        names=_label_names(said.labels),
    )


def dialect_of(
    delimiter: str | None, quoting: str | None, encoding: str | None, *, header: bool
) -> "Dialect":
    """The dialect of text files that the options name. Raises InputError for a value that none takes."""
    from transfer.corpora.own.cells import DELIMITERS
    from transfer.corpora.own.tables import Dialect, Quoting

    character = None if delimiter is None else {**DELIMITERS, "\\t": "\t"}.get(delimiter, delimiter)
    if character is not None and (len(character) != 1 or character in '"\r\n'):
        raise InputError(
            f"--delimiter '{delimiter}': should be one character, or one of {', '.join(DELIMITERS)}"
        )
    style: Quoting | None = None if quoting is None else _one_of(quoting, get_args(Quoting), "--quoting")
    if encoding is not None:
        try:
            is_text = "a".encode(encoding) is not None
        except (LookupError, ValueError):
            is_text = False
        if not is_text:
            raise InputError(
                f"--encoding '{encoding[:40]}': is not a text encoding; known are utf-8, utf-16, cp1252, "
                "latin-1, shift_jis, gb18030 and the others that Python has"
            )
    return Dialect(character, style, encoding, header)


def _label_names(said: str | None) -> tuple[str, ...]:
    names = tuple(name.strip() for name in said.split(",")) if said is not None else ()
    if not all(names) or len(set(names)) < len(names):
        raise InputError("--labels: should be different names with commas between them, as in fever,cough")
    return names


def _one_of(value: str, known: Sequence[T], option: str) -> T:
    for each in known:
        if each == value:
            return each
    raise InputError(f"{option}: '{value}' is unknown{did_you_mean(value, map(str, known))}")


def _fit_kind(said: Said, kind: "Kind") -> None:
    """Raise InputError for the first option that a corpus of this kind has no use for."""
    from transfer.kinds import KINDS

    for option in said.options():
        only = [each.name for each in KINDS.values() if option in each.options]
        if only and kind.name not in only:
            raise InputError(f"{option} is for {' and '.join(only)}; the corpus is of kind {kind.name}")


def _name(name: str | None) -> str:
    from pydantic import TypeAdapter, ValidationError

    from transfer.corpora.base import Name

    if name is None:
        raise InputError("the corpus has no name; use --name NAME")
    try:
        return TypeAdapter(Name).validate_python(name)
    except ValidationError:
        raise InputError(
            f"--name '{name[:80]}': should be letters, digits, '.', '_' and '-', at most 64, "
            "the first of them a letter or a digit"
        ) from None


def _sources(said: Said) -> "tuple[tuple[Path, Split | None], ...]":
    given: dict[Split, Path | None] = {"train": said.train, "dev": said.dev, "test": said.test}
    named: list[tuple[Path, Split | None]] = [
        (path, split) for split, path in given.items() if path is not None
    ]
    if said.sources and named:
        raise InputError(f"--from and --{named[0][1]} do not go together; give each file with its split")
    if not said.sources and not named:
        raise InputError("no files are given; use --from FILE, or --train, --dev and --test FILE")
    for split in ("train", "test"):
        if named and not given[split]:
            raise InputError(f"--{split} FILE is missing; only dev can be taken from train")
    sources = named or [(path, None) for path in said.sources or ()]
    for path, count in Counter(path.resolve() for path, _ in sources).items():
        if count > 1:
            raise InputError(f"{path}: is given twice")
    return tuple(sources)
