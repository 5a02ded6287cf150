"""Results of a grid in the store, and predictions on request, each read once."""

import functools
import itertools
from collections.abc import Mapping

import pandas as pd
import pyarrow as pa

from transfer.analysis.arm_scores import ArmScores, shared
from transfer.analysis.evidence import ArmScore, Cell, Evidence
from transfer.analysis.flags import Flags, flags_of
from transfer.analysis.older import known_undefined
from transfer.analysis.setup import cells_of
from transfer.analysis.watch import Watch, nobody
from transfer.inputs import InputError
from transfer.metrics import measure_of
from transfer.records import Damaged, GridRecord
from transfer.store import Store


class Stored:
    """The results of a grid, and what is read from them alone."""

    def __init__(self, store: Store, record: GridRecord, *, watch: Watch = nobody) -> None:
        watch("results", 0, 1)
        self.record = record
        cards = {corpus.card.name: corpus.card for corpus in record.corpora}
        self.results = {
            id_: known_undefined(result, store, cards) for id_, result in store.results(record.jobs).items()
        }
        self._store = store
        self._watch = watch

    @functools.cached_property
    def frame(self) -> pd.DataFrame:
        """See ``Store.frame``."""
        return self._store.frame(self.record, self.results)

    @functools.cached_property
    def flags(self) -> Flags:
        """The arms that did not learn, or whose scores have no error; see ``flags_of``."""
        baselines = {c.card.name: c.baseline for c in self.record.corpora if c.baseline}
        return flags_of(self.frame, evidence=self.evidence, baselines=baselines)

    @functools.cached_property
    def evidence(self) -> Evidence:
        """The stored predictions, read job by job as they are asked for."""
        jobs = {cell: job for job in self.record.jobs for cell in cells_of(job)}
        cards = [corpus.card for corpus in self.record.corpora]
        arms = {c.name: ArmScores(c.name, measure_of(c.metric, negative=c.negative)) for c in cards}
        files = sum(result.status == "done" for result in self.results.values())
        count = itertools.count(1)

        def read(cell: Cell) -> Mapping[Cell, ArmScore]:
            job = jobs[cell]
            result = self.results[job.id]
            scores = {s.corpus: s.value for s in result.scores if s.split == "test" and s.value is not None}
            self._watch("predictions and intervals", next(count), files)
            try:
                table = self._store.prediction_table(job.id, digest=result.predictions)
                cells = [c for c in cells_of(job) if c.target in scores]
                return {c: arms[c.target].arm(table, score=scores[c.target]) for c in cells}
            except (FileNotFoundError, ValueError, Damaged) as error:
                home = self._store.files.at(f"jobs/{job.id}")
                # a result from before there were checksums is not set aside by itself
                mend = "run the grid again" if result.predictions else f"remove {home} and run the grid again"
                raise InputError(f"{home}/predictions.parquet: {error}; {mend}") from None

        return Evidence(read)

    def shares(self, job_id: str) -> pa.Table:
        """The arms of a finished job without labels (see ``arms.shared``)."""
        result = self.results[job_id]
        defined = {s.corpus for s in result.scores if s.split == "test" and s.value is not None}
        return shared({c.target: self.evidence.arm(c) for c in cells_of(result.job) if c.target in defined})
