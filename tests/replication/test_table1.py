"""The paper's counts of its corpora, and why counts of a release differ from them."""

from transfer.replication.table1 import PUBLISHED, notes_of, published


def test_the_published_figures_are_the_papers():
    rows = {name: tuple(row.counts.values()) for name, row in PUBLISHED.items()}
    assert rows == {
        "clinicalsts": (675, 75, 318),
        "shareclefe": (4628, 1075, 5195),
        "i2b2-2010-re": (3110, 11, 6293),
        "mednli": (11232, 1395, 1422),
        "bc5cdr-disease": (4182, 4244, 4424),
        "bc5cdr-chemical": (5203, 5347, 5385),
        "ddi2013": (2937, 1004, 979),
        "chemprot": (4154, 2416, 3458),
    }
    for row in PUBLISHED.values():
        assert list(row.counts) == ["train", "dev", "test"]


def test_a_count_is_explained_where_it_differs_and_only_there():
    explained, unexplained = notes_of("chemprot", {"train": 4157, "dev": 2416, "test": 2})
    assert "3 of them join two sentences" in explained
    assert unexplained == "test: the difference is not explained"
    assert list(notes_of("chemprot", {"train": 4154, "dev": 2416, "test": 3458})) == []
    (remark,) = notes_of("i2b2-2010-re", PUBLISHED["i2b2-2010-re"].counts)
    assert "a single document" in remark
    assert list(notes_of("mine", {"train": 1, "dev": 1, "test": 1})) == []


def test_a_corpus_that_the_paper_does_not_have_has_no_count():
    assert (published("mednli", "dev"), published("mine", "dev")) == (1395, None)
