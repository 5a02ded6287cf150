"""The cells of Tables 1 to 6 from what a store holds: whose score, over which seeds, and what is missing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from transfer import expansion
from transfer.corpora import load_one
from transfer.grid import Grid
from transfer.inputs import InputError
from transfer.jobs import Job
from transfer.records import CorpusRecord, GridRecord, JobResult, Score
from transfer.replication import paper
from transfer.replication.cells import (
    AVERAGE,
    Source,
    checked,
    corpora_cells,
    halves,
    key_of,
    measured,
    table_cells,
)
from transfer.replication.tables import corpora_matrix, gaps, matrix, statements
from transfer.store import Store

RECIPE = {"lr": 1e-3, "epochs": 1, "batch_size": 2, "fine_tune": {"lr": 1e-4, "epochs": 1}}
TABLES = {table.number: table for table in paper.tables()}


def grid_of(name: str, tasks: tuple[str, ...], stands_for: str, **change) -> Grid:
    told = {
        "name": name,
        "corpora": "synthetic",
        "tasks": tasks,
        "encoder": {"name": "small", "layers": 1},
        "stands_for": stands_for,
        "recipe": RECIPE,
        "jobs": ["single", "all"],
        "stages": ["refine", "fine-tune"],
        "seeds": 3,
    }
    return Grid.model_validate(told | change)


def put(store: Store, grid: Grid, score: Callable[[Job, str], float | None]) -> Source:
    """The grid as if it was run: each job's scores, None for one that failed."""
    record = GridRecord(
        grid=grid,
        recipe_name="own",
        source="synthetic",
        corpora=(),
        jobs=expansion.jobs_of(grid, dict.fromkeys(grid.tasks, "f"), encoder_fingerprint="e"),
    )
    for job in record.jobs:
        values = {name: score(job, name) for name in job.names}
        if None in values.values():
            result = JobResult(id=job.id, job=job, status="failed", source="synthetic", error="Boom: no")
        else:
            scores = tuple(
                Score(corpus=n, split="test", metric="m", value=v, items=9)
                for n, v in values.items()
                if v is not None
            )
            result = JobResult(id=job.id, job=job, status="done", source="synthetic", scores=scores)
        store.put(result)
    return Source(Path(f"{grid.name}.yaml"), grid, record)


def by_arm(job: Job, target: str) -> float:
    """Another score for every arm and seed: 0.5 alone, 0.6 longer, 0.7 refined, 0.8 fine-tuned."""
    arm = 0.5 + 0.1 * (job.stage == "fine-tune") + 0.2 * (len(job.group) > 1)
    return arm + 0.01 * job.seed**2 + 0.001 * len(target)


def cells_of(number: int, sources: list[Source], store: Store):
    return table_cells(TABLES[number], measured(sources, store))


def test_every_arm_of_a_table_has_its_own_score(tmp_path: Path):
    store = Store(tmp_path)
    source = put(store, grid_of("t2", paper.CLINICAL, "bluebert-clinical"), by_arm)
    cells = cells_of(2, [source], store)
    seeds = np.mean([0, 0.01, 0.04])
    expected = {"single": 0.5, "longer single": 0.6, "refinement": 0.7, "fine-tuning": 0.8}
    for arm, value in expected.items():
        row = cells[(cells["arm"] == arm) & (cells["corpus"] == "mednli")].iloc[0]
        assert row["mean"] == pytest.approx(value + seeds + 0.001 * len("mednli"))
        assert row["measured_with"] == "small (1 layer)"
        assert row["seeds"] == row["seeds_wanted"] == 3
    assert not cells["mean"].isna().any()
    assert (cells["why"] == "").all()


def test_interval_over_seeds_and_difference_to_the_published(tmp_path: Path):
    store = Store(tmp_path)
    cells = cells_of(2, [put(store, grid_of("t2", paper.CLINICAL, "bluebert-clinical"), by_arm)], store)
    row = cells[(cells["arm"] == "refinement") & (cells["corpus"] == "shareclefe")].iloc[0]
    values = 0.7 + 0.01 * np.array([0, 1, 4]) + 0.001 * len("shareclefe")
    low, high = stats.t.interval(0.95, 2, loc=values.mean(), scale=stats.sem(values))
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))
    assert row["published"] == 0.826
    assert row["difference"] == pytest.approx(values.mean() - 0.826)
    average = cells[(cells["arm"] == "refinement") & (cells["corpus"] == AVERAGE)].iloc[0]
    assert average["mean"] == pytest.approx(
        cells[(cells["arm"] == "refinement") & (cells["corpus"] != AVERAGE)]["mean"].mean()
    )
    assert average["published"] == 0.807


def test_one_seed_has_no_interval(tmp_path: Path):
    store = Store(tmp_path)
    cells = cells_of(
        2, [put(store, grid_of("t2", paper.CLINICAL, "bluebert-clinical", seeds=1), by_arm)], store
    )
    assert cells["ci_low"].isna().all()
    assert not cells["mean"].isna().any()


def test_a_grid_fills_its_cells_of_every_table_and_no_other(tmp_path: Path):
    store = Store(tmp_path)
    source = put(store, grid_of("t2", paper.CLINICAL, "bluebert-clinical"), by_arm)
    four = cells_of(4, [source], store)
    assert set(four.loc[four["seeds"] > 0, "model"]) == {"MT-BlueBERT-Fine-Tune clinical"}
    six = cells_of(6, [source], store)
    filled = six[six["seeds"] > 0]
    assert set(filled["model"]) == {"BlueBERT clinical", "BlueBERT clinical, trained longer"}
    assert set(filled["corpus"]) == set(paper.CLINICAL), "no average of half the corpora"
    empty = " ".join(gaps(six))
    assert "MT-BioBERT-Fine-Tune: ClinicalSTS, i2b2 2010, MedNLI" in empty
    assert "no grid here trains BioBERT on the 8 corpora together" in empty


def test_what_failed_and_what_was_not_run_is_named_and_never_a_number(tmp_path: Path):
    store = Store(tmp_path)

    def some(job: Job, target: str) -> float | None:
        failed = job.names == ("mednli",) and job.stage == "refine" and job.seed > 0
        return None if failed or (job.names == ("clinicalsts",) and job.stage == "refine") else 0.5

    source = put(store, grid_of("t2", paper.CLINICAL, "bluebert-clinical"), some)
    other = Source(Path("t3.yaml"), grid_of("t3", paper.BIOMEDICAL, "bluebert-biomedical"), None, "needs ddi")
    cells = cells_of(2, [source], store).set_index(["arm", "corpus"])
    assert cells.loc[("single", "clinicalsts"), "seeds"] == 0
    assert np.isnan(cells.loc[("single", "clinicalsts"), "mean"])
    assert cells.loc[("single", "mednli"), "seeds"] == 1
    assert cells.loc[("single", "mednli"), "why"] == "seed 1 failed: Boom: no; seed 2 failed: Boom: no"
    assert np.isnan(cells.loc[("single", AVERAGE), "mean"]), "an average of what is left would flatter"
    shown = matrix(TABLES[2], cells.reset_index())
    assert shown.iloc[0]["ClinicalSTS"] == ""
    assert shown.iloc[0]["MedNLI"] == "50.0 [1 of 3 seeds]"
    assert set(cells_of(3, [other], store).loc[lambda c: c["corpus"] != AVERAGE, "why"]) == {"needs ddi"}


def test_a_job_that_is_still_to_run_is_named(tmp_path: Path):
    store = Store(tmp_path / "a")
    source = put(store, grid_of("t2", paper.CLINICAL, "bluebert-clinical"), by_arm)
    cells = cells_of(2, [source], Store(tmp_path / "empty"))
    assert cells["mean"].isna().all()
    assert "seed 0 was not run yet (t2.yaml)" in gaps(cells)[0]


def test_table_6_has_the_models_across_as_it_was_published(tmp_path: Path):
    store = Store(tmp_path)
    six = (*paper.CLINICAL, *paper.BIOMEDICAL)
    sources = [put(store, grid_of(e, six, e), by_arm) for e in ("biobert", "bluebert-clinical")]
    shown = matrix(TABLES[6], cells_of(6, sources, store))
    assert list(shown["corpus"][::3]) == [paper.NAMES[name] for name in TABLES[6].corpora] + [AVERAGE]
    assert list(shown["MT-BioBERT-Fine-Tune"][1::3])[-1] == "81.4"
    assert "BlueBERT clinical, trained longer (not in the paper)" in shown


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"recipe": RECIPE | {"epochs": 2}}, "recipe.epochs 1 in place of 2"),
        ({"encoder": {"name": "small", "layers": 2}}, "encoder"),
        ({"limit": {"train": 5}}, "limit"),
    ],
)
def test_two_grids_that_would_fill_a_cell_differently_are_refused(change: dict, told: str):
    one = Source(Path("one.yaml"), grid_of("one", paper.CLINICAL, "bluebert-clinical"))
    other = Source(Path("other.yaml"), grid_of("other", paper.CLINICAL, "bluebert-clinical", **change))
    with pytest.raises(InputError, match=told) as caught:
        checked([one, other])
    assert "other.yaml: Table 2 has one cell for BlueBERT clinical" in str(caught.value)
    assert "one.yaml" in str(caught.value)


def test_grids_that_share_jobs_or_differ_in_stage_3_alone_where_it_is_not_shared_are_welcome():
    figure = grid_of("f", paper.CLINICAL, "bluebert-clinical", jobs=["single", "pairs"], stages=["refine"])
    longer = RECIPE | {"fine_tune": {"lr": 1e-4, "epochs": 9}}
    tables = grid_of("t", paper.CLINICAL, "bluebert-clinical", recipe=longer, seeds=5)
    checked([Source(Path("f.yaml"), figure), Source(Path("t.yaml"), tables)])


def test_real_and_invented_scores_do_not_stand_in_one_table():
    real = grid_of("r", paper.BIOMEDICAL, "biobert", corpora="folder")
    invented = grid_of("i", paper.CLINICAL, "biobert")
    with pytest.raises(InputError, match=r"i\.yaml: is on synthetic corpora and r\.yaml is not"):
        checked([Source(Path("r.yaml"), real), Source(Path("i.yaml"), invented)])


def test_the_halves_of_the_figure_are_found_by_their_pairs():
    grids = {
        "a": grid_of("a", paper.CLINICAL[::-1], "biobert", jobs=["single", "pairs"]),
        "b": grid_of("b", paper.BIOMEDICAL, "biobert", jobs=["single", "pairs", "all"]),
        "": grid_of("c", paper.BIOMEDICAL, "biobert", jobs=["pairs"]),
    }
    sources = [Source(Path(f"{grid.name}.yaml"), grid) for grid in grids.values()]
    assert {letter: source.grid for letter, source in halves(sources).items()} == {
        letter: grid for letter, grid in grids.items() if letter
    }
    with pytest.raises(InputError, match=r"two\.yaml: a\.yaml has every pair"):
        halves([sources[0], Source(Path("two.yaml"), grids["a"])])


def test_table_1_beside_the_published_counts(tmp_path: Path):
    corpus = load_one("synthetic", "mednli")
    items = {"train": 1, "dev": 1, "test": 1}
    told = CorpusRecord(card=corpus.card, fingerprint="f", items=items, counts=dict(corpus.counts))
    grid = grid_of("g", ("mednli",), "biobert")
    record = GridRecord(grid=grid, recipe_name="own", source="prepared", corpora=(told,), jobs=())
    frame, notes = corpora_cells([Source(Path("g.yaml"), grid, record)])
    rows = frame.set_index(["corpus", "split"])
    assert rows.loc[("mednli", "train"), ["count", "published", "difference"]].tolist() == [
        200,
        11232,
        -11032,
    ]
    assert rows["count"].isna().sum() == 7 * 3
    assert notes == ["MedNLI: train and dev and test: the difference is not explained"]
    shown = corpora_matrix(frame)
    assert len(shown) == 8 * 3
    assert shown[shown["corpus"] == "MedNLI"].iloc[0]["train"] == "200"
    assert gaps(frame) == [
        "ClinicalSTS, ShARe/CLEFE, i2b2 2010, BC5CDR disease, BC5CDR chemical, DDI, ChemProt: "
        "no grid here was run on it"
    ]


def test_counts_are_of_whole_splits_whatever_the_limit():
    from transfer.corpora import Limit

    small = load_one("synthetic", "shareclefe", limit=Limit(train=5, test=5))
    assert len(small.train) == 5
    assert small.counts == load_one("synthetic", "shareclefe").counts
    assert small.counts["train"] > 5


def test_what_the_text_says_of_the_figure_beside_the_verdicts():
    import pandas as pd

    edges = pd.DataFrame(
        [
            ("refine", "mednli", "i2b2-2010-re", 0.02, 0.01, 0.03, "improves"),
            ("refine", "i2b2-2010-re", "mednli", 0.0, float("nan"), float("nan"), "inconclusive"),
            ("refine", "i2b2-2010-re", "clinicalsts", -0.02, -0.03, -0.01, "harms"),
            ("fine-tune", "mednli", "i2b2-2010-re", -0.5, -0.6, -0.4, "harms"),
        ],
        columns=["stage", "source", "target", "gain", "ci_low", "ci_high", "verdict"],
    )
    said = statements({"a": edges}, {"a": "synthetic"}).set_index(["source", "target"])["measured"]
    assert said["MedNLI", "i2b2 2010"] == "improves, +2.0 (+1.0 to +3.0)"
    assert said["i2b2 2010", "any"] == "1 of 2 harms; 1 of 2 inconclusive"
    assert said["any", "DDI"] == "not measured"


def test_key_of_a_row_of_the_joint_table_has_all_its_corpora():
    row = next(row for row in TABLES[6].rows if row.arm == "fine-tuning")
    assert len(key_of(row, TABLES[6], "mednli").group) == 8
