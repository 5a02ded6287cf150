"""Learning curves: training loss and dev score by epoch, of every job that is done."""

from collections.abc import Iterable, Mapping

import pandas as pd

from transfer.analysis.setup import cells_of
from transfer.jobs import Job
from transfer.records import JobResult

CURVES = ["stage", "corpora", "target", "seed", "epoch", "loss", "dev"]


def curves(jobs: Iterable[Job], results: Mapping[str, JobResult]) -> pd.DataFrame:
    """One row for each stage, group, target, seed and epoch (counted from 1); dev scores are fractions.

    ``jobs`` are the grid's own: a stored result may be of another grid, whose job is the same but whose arm
    (`tuned`, say) is not.
    """
    rows = [
        (*cell[:3], cell.seed, epoch.epoch, epoch.loss.get(cell.target), epoch.dev[cell.target])
        for job in jobs
        if job.id in results and results[job.id].status == "done"
        for epoch in results[job.id].history
        for cell in cells_of(job)
    ]
    table = pd.DataFrame(rows, columns=pd.Index(CURVES)).astype({"loss": float, "dev": float})
    return table.sort_values(CURVES[:5], ignore_index=True)


def mean_curves(table: pd.DataFrame, *, column: str) -> pd.DataFrame:
    """`loss` or `dev` of each arm by epoch: mean, low and high over its seeds.

    Columns stage, corpora, target, epoch, mean, low, high.
    """
    keys = ["stage", "corpora", "target", "epoch"]
    found = table.groupby(keys, sort=True)[column].agg(["mean", "min", "max"]).reset_index()
    return found.rename(columns={"min": "low", "max": "high"})
