"""Records of the store: results of jobs and expanded grids. A record of any version stays readable."""

import hashlib
import math
import re
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from transfer.corpora.base import Card, Split
from transfer.corpora.baseline import Baseline
from transfer.grid import ADDED_LATER, Grid
from transfer.inputs import InputError
from transfer.jobs import Job

# An absolute path (two or more parts) that is not the tail of a URL or of a relative path.
_ABSOLUTE = re.compile(r"(?<![\w.:/…-])(?:~|[A-Za-z]:)?[\\/](?:[^\s\\/'\":,;()]+[\\/])+")
FORMAT = 1


class Damaged(InputError):
    """A file of the store is not what was written: cut short, or edited. It is never read as a score."""


class _Record(BaseModel):
    # a later version may add keys; an old result loads for ever
    model_config = ConfigDict(extra="ignore", frozen=True)


class Score(_Record):
    """One score of a corpus on a split, at the epoch chosen for that corpus.

    An undefined score has no value, and the reason in ``undefined``.
    """

    corpus: str
    split: Literal["dev", "test"]
    metric: str
    value: Annotated[float, Field(allow_inf_nan=False)] | None
    items: int
    undefined: str = ""

    @model_validator(mode="after")
    def _a_value_or_a_reason(self) -> Self:
        if (self.value is None) != bool(self.undefined):
            raise ValueError("a score has either a value or the reason why it is undefined")
        return self

    @property
    def number(self) -> float:
        """The value; NaN if the score is undefined."""
        return math.nan if self.value is None else self.value

    @property
    def shown(self) -> str:
        """The value as a person reads it, with four decimals; `undefined` if it is."""
        return "undefined" if self.value is None else f"{self.value:.4f}"


class Epoch(_Record):
    """One epoch: mean training loss and dev score of each corpus, and how long it took (s).

    A dev score is None where it is undefined.
    """

    epoch: int
    loss: dict[str, float]
    dev: dict[str, float | None]
    seconds: float


class JobResult(_Record):
    """The result of a job. A failed one has its error, perhaps its cause, and no score.

    ``ended`` is in seconds since 1970 (UTC), ``seconds`` earlier it began; None where no worker ran it.
    ``peak_memory`` is what the worker had in use at most (bytes), None where it was not measured.
    ``notes`` are for whoever started the job; ``predictions`` is the SHA-256 of predictions.parquet.
    """

    format: Literal[1] = 1
    id: str
    job: Job
    status: Literal["done", "failed"]
    scores: tuple[Score, ...] = ()
    chosen_epoch: dict[str, int] = {}
    history: tuple[Epoch, ...] = ()
    train_items: dict[str, int] = {}
    steps: int = 0
    seconds: float = 0.0
    peak_memory: int | None = None
    ended: float | None = None
    source: str
    provenance: dict[str, str] = {}
    error: str = ""
    cause: Literal["", "memory", "disk", "place"] = ""
    notes: tuple[str, ...] = ()
    predictions: str = ""
    checksum: str = ""  # stays the last key: see ``signed``

    @property
    def reason(self) -> str:
        """Cause of the failure in one line: the last one of the traceback, without the path of the class."""
        lines = self.error.strip().splitlines()
        return _CLASS_PATH.sub("", lines[-1]) if lines else ""


class CorpusRecord(_Record):
    """Description of a corpus as a report needs it."""

    card: Card
    fingerprint: str
    items: dict[str, int]
    words: dict[str, int] = {}  # of each split, as forecasts count them; from before they were: none
    notes: tuple[str, ...] = ()
    counts: dict[str, int] = {}  # of the whole splits, see Corpus; from before they were kept: none
    pool: int | None = None  # the examples that each seed draws its ``items["train"]`` from; None: fixed
    doubts: tuple[str, ...] = ()  # see ``corpora.undefined.foreseen``
    baseline: Baseline | None = None  # None: a kind without one, or from before it was kept, as the next
    truncated: dict[Split, int] | None = None  # how many texts of each split exceed max_length


class GridRecord(_Record):
    """A grid as it was last run: its jobs, corpora and where the data came from."""

    format: Literal[1] = 1
    grid: Grid
    recipe_name: str
    report_name: str = ""  # from before there was one: the grid's name
    overrides: tuple[str, ...] = ()
    source: str
    corpora: tuple[CorpusRecord, ...]
    overlaps: tuple[str, ...] = ()
    jobs: tuple[Job, ...]

    @field_validator("grid", mode="before")
    @classmethod
    def _as_it_was_asked(cls, value: Any) -> Any:
        # an old record lacks a later key: it asked for what was done before, whatever the default is now
        return {**ADDED_LATER, **value} if isinstance(value, dict) else value

    @property
    def title(self) -> str:
        """The name of the grid's report: the grid's own, with what the command line changed."""
        return self.report_name or self.grid.name


# Diverged says all that its message says; of other errors the class may be what tells
_CLASS_PATH = re.compile(r"^transfer\.[\w.]+\.(?:Diverged: )?")
_CHECKSUM = re.compile(rb'"checksum": "([0-9a-f]{64})"\n}\s*$')


def signed(result: JobResult) -> bytes:
    """A result as JSON whose last key is the SHA-256 of the text with that key empty."""
    text = result.model_copy(update={"checksum": ""}).model_dump_json(indent=1).encode()
    assert text.endswith(b'"checksum": ""\n}')
    return text.removesuffix(b'""\n}') + f'"{hashlib.sha256(text).hexdigest()}"\n}}'.encode()


def result_of(text: bytes, *, where: str) -> JobResult:
    """The result in a file; ``where`` is the file's name in messages.

    Raises Damaged where it is not what ``signed`` wrote (a result from before there were checksums has
    none, and is taken as it is), InputError where a later version of this program wrote it.
    """
    try:
        result = JobResult.model_validate_json(text)
    except ValidationError as error:
        number = re.search(rb'"format": ?(\d+)', text)
        if number and int(number[1]) > FORMAT:
            raise InputError(f"{where}: was written by a later version of transfer; install that") from None
        raise Damaged(f"{where}: is no result ({error.errors()[0]['msg']})") from None
    if result.checksum:
        found = _CHECKSUM.search(text)
        bare = text[: found.start(1)] + text[found.end(1) :].rstrip() if found else b""
        if hashlib.sha256(bare).hexdigest() != result.checksum:
            raise Damaged(f"{where}: was changed after it was written")
    return result


def without_paths(text: str) -> str:
    """The text with the folders of absolute paths cut: a report tells nothing of a machine.

    >>> without_paths("no file /home/ann/runs/x.json")
    'no file …/x.json'
    """
    return _ABSOLUTE.sub("…/", text)
