"""Text of test that stands where a job trains on it is found, whatever form it has there."""

from transfer.corpora.base import Card, Example, build
from transfer.corpora.overlap import overlaps, passages

CARD = Card(name="c", kind="classification", metric="accuracy", labels=("a", "b", "c"))


def corpus_of(name: str, **texts: list[str]):
    card = Card.model_validate({**CARD.model_dump(), "name": name})
    splits = {s: [Example(t, (t,), "a") for t in texts.get(s, [])] for s in ("train", "dev", "test")}
    return build(card, splits, source="prepared")


def test_test_texts_that_stand_in_a_train_split_are_found():
    long, short = "A sentence that is long enough.", "Methods"
    one = corpus_of("one", train=[long, "q", short, "own"], dev=["s", "t"], test=["Own", "u"])
    split = "a sentence, that is  long enough"
    two = corpus_of("two", train=["v", "w", "x", "y"], dev=["z", "zz"], test=[split, split, short, "n"])
    assert overlaps([one, two]) == {("one", "one"): 1, ("one", "two"): 2}
    assert overlaps([two]) == {}


def test_one_passage_of_a_pair_is_found_alone_and_in_tokens():
    sentence = "The patient was sent home."
    pair = Example("1", ("Something else altogether here.", sentence), "yes")
    tokens = Example("1", ("The", "patient", "was", "sent", "home", "."), ("O",) * 6)
    assert passages(pair, "classification") & passages(tokens, "tagging") == {"thepatientwassenthome"}
