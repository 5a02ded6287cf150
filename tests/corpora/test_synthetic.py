"""The synthetic corpora: the same bytes for ever, valid rows, and the planted structure really in them."""

import hashlib
import json
import re
from collections import Counter
from pathlib import Path

import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from transfer.corpora.synthetic import NAMES, PLAN, SPLITS, card, rows
from transfer.corpora.synthetic_plan import DOMAINS, KNOWLEDGE, VERSION, lexicon

DOCS = Path(__file__).parents[2] / "docs" / "synthetic.md"
# of all rows of VERSION 1. A change of rows is a new VERSION, and a new line here
FROZEN = {1: "2c1852d085b905322fddd3c528c91bae410a840bbc57929be3410a6df4f89ffd"}

CLASS = {term.word: term.latent for domain in DOMAINS for term in lexicon(domain)}


def planted(effect: str) -> pytest.MarkDecorator:
    edges = [edge for edge in PLAN if edge.effect == effect]
    return pytest.mark.parametrize("edge", edges, ids=[f"{edge.source} to {edge.target}" for edge in edges])


def every_row(name: str) -> list[dict]:
    return [row for split in SPLITS for row in rows(name, split)]


def text_of(row: dict) -> str:
    if "tokens" in row:
        return " ".join(row["tokens"])
    return row.get("text") or f"{row['text_a']} {row['text_b']}"


def terms_of(row: dict) -> list[str]:
    return [word for word in re.findall(r"\w+", text_of(row)) if word in CLASS]


def terms_in(name: str, split: str) -> Counter[str]:
    return Counter(term for row in rows(name, split) for term in terms_of(row))


def test_the_rows_are_the_same_for_ever():
    everything = json.dumps([every_row(name) for name in NAMES], sort_keys=True)
    assert hashlib.sha256(everything.encode()).hexdigest() == FROZEN[VERSION]


def test_a_caller_cannot_change_them():
    rows("mednli", "dev")[0]["label"] = "spoilt"
    card("mednli")["labels"].append("spoilt")
    assert rows("mednli", "dev")[0]["label"] in card("mednli")["labels"] != ["spoilt"]
    assert "spoilt" not in card("mednli")["labels"]


@pytest.mark.parametrize("wrong", [lambda: card("chemprt"), lambda: rows("chemprt", "dev")])
def test_an_unknown_name_is_answered_with_the_known_ones(wrong):
    with pytest.raises(KeyError, match="chemprot"):
        wrong()
    with pytest.raises(KeyError, match="train, dev, test"):
        rows("chemprot", "validation")


@pytest.mark.parametrize("name", NAMES)
def test_ids_and_texts_stand_once(name):
    everything = every_row(name)
    assert len({row["id"] for row in everything}) == len(everything)
    # so no test text is in train
    assert len({text_of(row) for row in everything}) == len(everything)


@pytest.mark.parametrize("name", [n for n in NAMES if card(n)["kind"] == "classification"])
def test_labels_are_the_card_s_and_none_is_a_majority(name):
    for split in SPLITS:
        counts = Counter(row["label"] for row in rows(name, split))
        assert set(counts) == set(card(name)["labels"])
        assert max(counts.values()) < 0.5 * SPLITS[split]


@pytest.mark.parametrize("name", [n for n in NAMES if card(n)["kind"] == "tagging"])
def test_tags_are_legal_and_half_of_the_terms_are_mentions(name):
    entity = card(name)["entities"][0]
    for row in every_row(name):
        assert len(row["tokens"]) == len(row["tags"])
        assert set(row["tags"]) <= {"O", f"B-{entity}", f"I-{entity}"}
        assert all(row["tags"][i - 1] != "O" for i, tag in enumerate(row["tags"]) if tag[0] == "I")
    for split in SPLITS:
        mentions = sum(tag[0] == "B" for row in rows(name, split) for tag in row["tags"])
        assert 0.4 < mentions / sum(terms_in(name, split).values()) < 0.6
        assert any(tag[0] == "I" for row in rows(name, split) for tag in row["tags"])


def test_scores_are_in_the_card_s_range():
    low, high = card("clinicalsts")["range"]
    scores = [row["score"] for row in every_row("clinicalsts")]
    assert (min(scores), max(scores)) == (low, high)


@planted("improves")
def test_a_helper_teaches_terms_that_the_target_s_test_needs_and_its_train_lacks(edge):
    own, partner = set(terms_in(edge.target, "train")), set(terms_in(edge.source, "train"))
    test = terms_in(edge.target, "test")
    taught = sum(count for term, count in test.items() if term in partner - own)
    assert taught > 0.45 * sum(test.values())
    assert len(own & partner) >= 16, "the tasks need common ground"


@planted("harms")
def test_a_harmful_partner_teaches_the_class_that_the_target_s_test_turns_around(edge):
    own, partner = set(terms_in(edge.target, "train")), set(terms_in(edge.source, "train"))
    test = set(terms_in(edge.target, "test"))
    assert own | test <= partner
    assert not own & test
    assert [agreement(edge.target, split) for split in SPLITS] == [1, 1, 0]


def agreement(name: str, split: str) -> float:
    """The share of rows whose label goes with the class of their terms."""
    with_class_1 = {"DDI-effect", "DDI-advise", "DDI-int"}
    # 2.5 of the score's 5 are the class's; the phrase, which says the rest, is told apart at a quarter
    said = {"case": 0.0, "it": 1.25, "same": 2.5}

    def favours(row: dict) -> bool:
        if "label" in row:
            return row["label"] in with_class_1
        words = re.findall(r"\w+", row["text_b"])
        visible = 1.25 if "partly" in words else said[words[-1]]
        return row["score"] > visible

    return sum(favours(row) == CLASS[terms_of(row)[0]] for row in rows(name, split)) / SPLITS[split]


def test_no_other_partner_of_a_harmed_task_knows_its_test_terms():
    harmed = {edge.target: edge.source for edge in PLAN if edge.effect == "harms"}
    for target, source in harmed.items():
        for other in set(NAMES) - {target, source}:
            assert not set(terms_in(other, "train")) & set(terms_in(target, "test"))


def test_the_domains_share_no_term():
    clinical, biomedical = ({term.word for term in lexicon(domain)} for domain in DOMAINS)
    assert not clinical & biomedical
    assert len(clinical | biomedical) == len(CLASS)


def test_spelling_does_not_give_the_class_away():
    words, classes = list(CLASS), list(CLASS.values())
    letters = CountVectorizer(analyzer="char_wb", ngram_range=(1, 3)).fit_transform(words)
    accuracy = cross_val_score(LogisticRegression(max_iter=500), letters, classes, cv=8).mean()
    assert accuracy < 0.6


def test_every_task_has_a_place_in_the_plan():
    assert set(KNOWLEDGE) == set(NAMES)
    assert {edge.source for edge in PLAN} | {edge.target for edge in PLAN} == set(NAMES)
    assert len({(edge.source, edge.target) for edge in PLAN}) == len(PLAN)


def test_the_docs_tell_the_plan():
    table = DOCS.read_text(encoding="utf-8")
    for edge in PLAN:
        assert re.search(rf"^\| {edge.source} \| {edge.target} \| {edge.effect} \|", table, re.MULTILINE)
    planned = re.findall(r"^\| [\w-]+ \| [\w-]+ \| (?:improves|harms|no effect) \|", table, re.MULTILINE)
    assert len(planned) == len(PLAN)
