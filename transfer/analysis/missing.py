"""The scores that a grid promises and does not have, each with the reason."""

from collections.abc import Iterable

import pandas as pd

from transfer.analysis.evidence import Cell
from transfer.analysis.gains import CELL, scored


def missing(frame: pd.DataFrame, expected: Iterable[Cell] | None = None) -> pd.DataFrame:
    """The cells without a score: stage, corpora, target, seed, state, error.

    `state` is `failed` (the error says why), `undefined` (the job ended, its test score is undefined;
    the error says why) or `absent`. Without `expected`, every group and target of the frame is expected
    in every seed that its stage has.
    """
    present = {Cell(*row) for row in scored(frame)[CELL].itertuples(index=False, name=None)}
    cells = set(_implied(frame)) if expected is None else {Cell(*cell) for cell in expected}
    failed = frame[frame["status"] == "failed"]
    cells |= {Cell(*row) for row in failed[CELL].itertuples(index=False, name=None)}
    errors = {
        Cell(*row[:4]): str(row[4])
        for row in failed.sort_values([*CELL, "error"])[[*CELL, "error"]].itertuples(index=False, name=None)
    }
    tested = frame[(frame["split"] == "test") & (frame["status"] == "done")]
    unscored = {
        Cell(*row[:4]): str(row[4]).removeprefix("undefined: ")
        for row in tested[[*CELL, "error"]].itertuples(index=False, name=None)
        if Cell(*row[:4]) not in present
    }
    rows = [
        (*cell, "failed", errors[cell])
        if cell in errors
        else (*cell, "undefined", unscored[cell])
        if cell in unscored
        else (*cell, "absent", "")
        for cell in sorted((cells | set(unscored)) - present)
    ]
    return pd.DataFrame(rows, columns=pd.Index([*CELL, "state", "error"]))


def _implied(frame: pd.DataFrame) -> Iterable[Cell]:
    """Every group and target of the frame in every seed that its stage has."""
    for _, rows in frame.groupby("stage"):
        seeds = sorted(rows["seed"].unique())
        arms = rows[["stage", "corpora", "target"]].drop_duplicates()
        for arm in arms.itertuples(index=False, name=None):
            yield from (Cell(arm[0], arm[1], arm[2], int(seed)) for seed in seeds)
