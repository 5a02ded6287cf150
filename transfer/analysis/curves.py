"""Learning curves: training loss and dev score by epoch, of every job that is done."""

from collections.abc import Iterable

import pandas as pd

from transfer.records import JobResult

CURVES = ["stage", "corpora", "target", "seed", "epoch", "loss", "dev"]


def curves(results: Iterable[JobResult]) -> pd.DataFrame:
    """One row for each stage, group, target, seed and epoch (counted from 1); dev scores are fractions."""
    rows = [
        (result.job.arm, "+".join(result.job.group), name, result.job.arm_seed, epoch.epoch,
         epoch.loss.get(name), epoch.dev[name])
        for result in results
        if result.status == "done"
        for epoch in result.history
        for name in result.job.names
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=pd.Index(CURVES)).astype({"loss": float, "dev": float})
    return table.sort_values(CURVES[:5], ignore_index=True)


def mean_curves(table: pd.DataFrame, *, column: str) -> pd.DataFrame:
    """`loss` or `dev` of each arm by epoch: mean, low and high over its seeds.

    Columns stage, corpora, target, epoch, mean, low, high.
    """
    keys = ["stage", "corpora", "target", "epoch"]
    found = table.groupby(keys, sort=True)[column].agg(["mean", "min", "max"]).reset_index()
    return found.rename(columns={"min": "low", "max": "high"})
