"""The published figures that the package carries: as they were given, and consistent with themselves."""

from pathlib import Path

import pytest

from transfer.encoders import ALIASES
from transfer.replication import paper
from transfer.replication.table1 import PUBLISHED

DATA = Path(paper.__file__).parent


@pytest.mark.parametrize("table", paper.tables(), ids=lambda table: f"table {table.number}")
def test_a_published_average_is_the_mean_of_its_cells(table: paper.Table):
    for row in table.rows:
        if row.arm == "longer single":
            assert not row.scores
            assert row.average is None
            continue
        assert set(row.scores) == set(table.corpora) <= set(PUBLISHED)
        assert row.average is not None
        mean = sum(row.scores.values()) / len(row.scores)
        assert abs(mean - row.average) <= 0.0005 + 1e-9, row.model


def test_every_row_means_an_encoder_and_an_arm():
    found = {(t.number, row.encoder, row.arm) for t in paper.tables() for row in t.rows}
    assert (2, "bluebert-clinical", "refinement") in found
    assert (3, "bluebert-biomedical", "longer single") in found
    assert (4, "clinicalbert", "fine-tuning") in found
    assert (6, "biobert", "fine-tuning") in found
    assert {row.encoder for t in paper.tables() for row in t.rows} == set(paper.ENCODERS) <= set(ALIASES)


def test_a_single_task_score_is_the_same_in_every_table():
    known: dict[tuple[str, str], float] = {}
    for table in paper.tables():
        for row in table.rows:
            for corpus, score in row.scores.items() if row.arm == "single" else ():
                assert known.setdefault((row.encoder, corpus), score) == score


def test_the_copying_slip_of_the_footnote_is_there():
    three, five = paper.tables()[1], paper.tables()[3]
    refined = next(row for row in three.rows if row.arm == "refinement")
    copied = next(row for row in five.rows if row.encoder == "bluebert-clinical")
    assert refined.scores == copied.scores
    assert all(any("copying slip" in note for note in table.footnotes) for table in (three, five))


def test_statements_name_corpora_of_their_half():
    for said in paper.statements():
        assert {said.source, said.target} <= {*paper.HALVES[said.half], "any"}


def test_the_figures_are_those_that_were_given():
    given = Path("../shared/paper")
    if not given.is_dir():
        pytest.skip(f"no {given}, where the project was given the published figures")
    for path in DATA.glob("*.csv"):
        assert path.read_bytes() == (given / path.name).read_bytes()
    for line in (given / "table1_corpora.csv").read_text(encoding="utf-8").splitlines()[1:]:
        label, *_, train, dev, test, unit = line.split(",")
        told = PUBLISHED[paper.CORPORA[label]]
        assert (told.counts, told.unit) == ({"train": int(train), "dev": int(dev), "test": int(test)}, unit)
