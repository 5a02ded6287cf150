"""What the store keeps: results of jobs, and what grids were expanded to. Records that load for ever."""

import hashlib
import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from transfer.corpora.base import Card
from transfer.grid import Grid, Job
from transfer.inputs import InputError

FORMAT = 1


class Damaged(InputError):
    """A file of the store is not what was written: cut short, or edited. It is never read as a score."""


class _Record(BaseModel):
    # a later version may add keys; an old result loads for ever
    model_config = ConfigDict(extra="ignore", frozen=True)


class Score(_Record):
    """One score of a corpus on a split, at the epoch chosen for that corpus."""

    corpus: str
    split: Literal["dev", "test"]
    metric: str
    value: float
    items: int


class Epoch(_Record):
    """One epoch: mean training loss and dev score of each corpus, and how long it took (s)."""

    epoch: int
    loss: dict[str, float]
    dev: dict[str, float]
    seconds: float


class JobResult(_Record):
    """What came of a job. A failed one has its error, perhaps its cause, and no score.

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


class CorpusRecord(_Record):
    """What a report says of a corpus."""

    card: Card
    fingerprint: str
    items: dict[str, int]
    words: dict[str, int] = {}  # of each split, as forecasts count them; from before they were: none
    notes: tuple[str, ...] = ()
    counts: dict[str, int] = {}  # of the whole splits, see Corpus; from before they were kept: none


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

    @property
    def title(self) -> str:
        """The name of the grid's report: the grid's own, with what the command line changed."""
        return self.report_name or self.grid.name


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
