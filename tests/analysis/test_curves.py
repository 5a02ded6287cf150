"""Learning curves as the store's results have them."""

import pandas as pd
import pytest

from transfer import expansion
from transfer.analysis.curves import CURVES, curves, mean_curves
from transfer.grid import Grid
from transfer.records import Epoch, JobResult

GRID = Grid.model_validate(
    {
        "name": "g", "corpora": "folder", "tasks": ["a", "b"], "encoder": "some-bert", "seeds": 2,
        "recipe": {"lr": 1e-3, "epochs": 2, "batch_size": 4, "fine_tune": {"lr": 1e-3, "epochs": 1}},
        "jobs": ["single", "pairs"], "stages": ["refine", "fine-tune"],
    }
)  # fmt: skip
JOBS = expansion.jobs_of(GRID, {"a": "fa", "b": "fb"}, encoder_fingerprint="e")


def result(job, **change):
    history = tuple(
        Epoch(
            epoch=epoch,
            loss=dict.fromkeys(job.names, 1.0 / epoch),
            dev=dict.fromkeys(job.names, 0.1 * epoch + 0.01 * job.seed),
            seconds=1.0,
        )
        for epoch in range(1, job.recipe.epochs + 1)
    )
    given = {"id": job.id, "job": job, "status": "done", "history": history, "source": "prepared"}
    return JobResult(**(given | change))


def test_one_row_for_each_epoch_and_corpus_of_a_job():
    table = curves(JOBS, {job.id: result(job) for job in JOBS})
    assert list(table.columns) == CURVES
    pair = table[(table["corpora"] == "a+b") & (table["stage"] == "refine") & (table["seed"] == 1)]
    assert pair[["target", "epoch"]].to_numpy().tolist() == [["a", 1], ["a", 2], ["b", 1], ["b", 2]]
    assert pair["loss"].to_list() == [1.0, 0.5, 1.0, 0.5]
    assert pair["dev"].to_list() == pytest.approx([0.11, 0.21, 0.11, 0.21])
    # a fine-tuned task has the group of its parent
    tuned = table[table["stage"] == "fine-tune"]
    assert set(tuned["corpora"]) == {"a", "b", "a+b"}
    assert set(tuned["epoch"]) == {1}


def test_a_job_shared_with_another_grids_tuning_has_the_arm_of_this_grid():
    alone = next(job for job in JOBS if job.names == ("a",) and job.stage == "refine")
    shared = result(alone.model_copy(update={"tuned": True}))
    assert shared.id == alone.id
    assert set(curves(JOBS, {alone.id: shared})["stage"]) == {"refine"}


def test_a_failed_job_has_no_curve_and_an_empty_store_gives_an_empty_table():
    assert curves(JOBS, {JOBS[0].id: result(JOBS[0], status="failed")}).empty
    assert list(curves(JOBS, {}).columns) == CURVES


def test_means_span_the_seeds_and_a_shorter_one_counts_where_it_is():
    table = pd.DataFrame(
        [("refine", "a", "a", 0, 1, 2.0, 0.5), ("refine", "a", "a", 1, 1, 1.0, 0.7),
         ("refine", "a", "a", 1, 2, 0.5, 0.8)],
        columns=pd.Index(CURVES),
    )  # fmt: skip
    means = mean_curves(table, column="dev")
    assert means[["epoch", "mean", "low", "high"]].to_numpy().tolist() == [
        [1, pytest.approx(0.6), 0.5, 0.7],
        [2, pytest.approx(0.8), 0.8, 0.8],
    ]
