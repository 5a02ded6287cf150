"""``transfer prepare own``: the options about one's own files, and the command behind them."""

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

T = TypeVar("T")

FromFiles = Annotated[
    list[Path] | None,
    typer.Option("--from", metavar="FILE", help="own: a file or a folder; repeat it for several."),
]
KindName = Annotated[
    str | None,
    typer.Option(
        "--kind",
        help="own: tagging, classification, similarity or multilabel.",
        autocompletion=completion.kinds,
    ),
]
CorpusName = Annotated[str | None, typer.Option("--name", help="own: what the corpus is to be called.")]
TextColumn = Annotated[
    str | None, typer.Option("--text", metavar="COLUMN", help="own: the text; for tagging the tokens.")
]
SecondColumn = Annotated[
    str | None, typer.Option("--text-b", metavar="COLUMN", help="own: the second text; '' for none.")
]
LabelColumn = Annotated[
    str | None,
    typer.Option(
        "--label",
        metavar="COLUMN",
        help="own: the label, the labels or the tags; of tags several, with commas, make a corpus of each.",
    ),
]
ScoreColumn = Annotated[str | None, typer.Option("--score", metavar="COLUMN", help="own: the score.")]
IdColumn = Annotated[str | None, typer.Option("--id", metavar="COLUMN", help="own: the id of an item.")]
DocColumn = Annotated[
    str | None,
    typer.Option("--doc", metavar="COLUMN", help="own: the document of an item; no split cuts one."),
]
Separator = Annotated[
    str | None, typer.Option("--separator", help="own: the character between several labels in a cell (;).")
]
Negative = Annotated[
    str | None, typer.Option("--negative", metavar="LABEL", help="own: the label that micro-F1 leaves out.")
]
MetricName = Annotated[
    str | None, typer.Option("--metric", help="own: the measure, where there is a choice.")
]
Delimiter = Annotated[
    str | None,
    typer.Option(
        "--delimiter",
        metavar="CHAR",
        help="own: the character between columns: comma, semicolon, tab, pipe or another (detected).",
    ),
]
QuotingName = Annotated[
    str | None,
    typer.Option(
        "--quoting",
        metavar="STYLE",
        help='own: quotation marks in tables: double (written "" inside a cell), backslash, '
        "or none for ordinary characters (detected).",
    ),
]
EncodingName = Annotated[
    str | None,
    typer.Option(
        "--encoding", metavar="NAME", help="own: the encoding of text files, such as cp1252 (UTF-8)."
    ),
]
LabelNames = Annotated[
    str | None,
    typer.Option(
        "--labels",
        metavar="NAMES",
        help="own: the names of multi-hot labels, or of numbered tags, in their order, with commas.",
    ),
]
EncoderName = Annotated[
    str | None,
    typer.Option("--encoder", help="own: the encoder that counts texts it would cut (minilm-l6)."),
]
Strict = Annotated[bool, typer.Option("--strict", help="own: turn every assumption into an error.")]
TrainFile = Annotated[Path | None, typer.Option("--train", metavar="FILE", help="own: what to train on.")]
DevFile = Annotated[Path | None, typer.Option("--dev", metavar="FILE", help="own: what to choose on.")]
TestFile = Annotated[Path | None, typer.Option("--test", metavar="FILE", help="own: what to test on.")]


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
    sentence: str | None = None
    entity: str | None = None
    scheme: str | None = None
    blank_tokens: str | None = None

    def options(self) -> list[str]:
        """The options that were typed, as they are typed."""
        keys = [key for key, value in vars(self).items() if value is not None]
        return ["--from" if key == "sources" else f"--{key.replace('_', '-')}" for key in keys]


def prepare(said: Said, *, to: Path, force: bool) -> None:
    """Makes a prepared corpus of one's own files, or one of each column of tags.

    Nothing is written where one cannot be read. Raises InputError for options that do not go together.
    """
    from transfer.cli.own_summary import doubts_of, lines_of
    from transfer.cli.own_tagged import for_each_label
    from transfer.corpora.own import read
    from transfer.corpora.prepared import from_rows
    from transfer.corpora.undefined import foreseen
    from transfer.corpora.writing import write

    requests = [_request(one) for one in for_each_label(said)]
    for request in requests:
        home = to / request.name
        if home.exists() and not force:
            raise InputError(f"{home}: is there already; --force replaces it")
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
        for note in (*reading.notes, *made.notes):
            say(f"note: {note}")
        say(f"wrote {to / card.name}")
    names = ", ".join(request.name for request in requests)
    say("next:")
    say(f"  transfer corpora check {shlex.quote(str(to))}")
    say(f"  transfer run-grid GRID.yaml --corpora {shlex.quote(str(to))}   # a grid that names {names}")


def _request(said: Said) -> "Request":
    from transfer.cli.own_tagged import tagging_of
    from transfer.corpora.base import METRICS, Kind, Metric
    from transfer.corpora.own import Columns, Request

    kinds: tuple[Kind, ...] = get_args(Kind)
    if said.kind is None:
        raise InputError(f"what kind of corpus is it? say it with --kind: {', '.join(kinds)}")
    kind = _one_of(said.kind, kinds, "--kind")
    metric: Metric | None = None if said.metric is None else _one_of(said.metric, METRICS[kind], "--metric")
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
        kind=kind,
        name=_name(said.name),
        sources=_sources(said),
        columns=columns,
        separator=said.separator or ";",
        negative=said.negative,
        metric=metric,
        tagging=tagging_of(said, metric),
        dialect=dialect_of(said.delimiter, said.quoting, said.encoding),
        names=_label_names(said.labels),
    )


def dialect_of(delimiter: str | None, quoting: str | None, encoding: str | None) -> "Dialect":
    """How text files are written, by what was typed. Raises InputError for what an option does not take."""
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
                f"--encoding '{encoding[:40]}': is no text encoding; known are utf-8, utf-16, cp1252, "
                "latin-1, shift_jis, gb18030 and Python's others"
            )
    return Dialect(character, style, encoding)


def _label_names(said: str | None) -> tuple[str, ...]:
    names = tuple(name.strip() for name in said.split(",")) if said is not None else ()
    if not all(names) or len(set(names)) < len(names):
        raise InputError("--labels: should be different names with commas between them, as in fever,cough")
    return names


def _one_of(value: str, known: Sequence[T], option: str) -> T:
    for each in known:
        if each == value:
            return each
    raise InputError(f"{option}: '{value}' is not one of them{did_you_mean(value, map(str, known))}")


def _fit_kind(said: Said, kind: str) -> None:
    """Raises InputError for the first option that a corpus of this kind has no use for."""
    only = {
        "--text-b": ("similarity", "classification", "multilabel"),
        "--label": ("classification", "tagging", "multilabel"),
        "--score": ("similarity",),
        "--separator": ("multilabel",),
        "--labels": ("multilabel", "tagging"),
        "--negative": ("classification",),
        **dict.fromkeys(("--sentence", "--entity", "--scheme", "--blank-tokens"), ("tagging",)),
    }
    for option in said.options():
        if kind not in only.get(option, (kind,)):
            raise InputError(f"{option} is for {' and '.join(only[option])}; the corpus is of kind {kind}")


def _name(name: str | None) -> str:
    from pydantic import TypeAdapter, ValidationError

    from transfer.corpora.base import Name

    if name is None:
        raise InputError("what is the corpus to be called? say it with --name NAME")
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
        raise InputError("which files? say it with --from FILE, or with --train, --dev and --test FILE")
    for split in ("train", "test"):
        if named and not given[split]:
            raise InputError(f"--{split} FILE is missing; only dev can be made of train")
    sources = named or [(path, None) for path in said.sources or ()]
    for path, count in Counter(path.resolve() for path, _ in sources).items():
        if count > 1:
            raise InputError(f"{path}: is given twice")
    return tuple(sources)
