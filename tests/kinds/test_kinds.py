"""The contract of every task kind, over the registry, on the tiny corpus of each."""

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

import transfer
from transfer import corpora
from transfer.cli.own import Said
from transfer.corpora import prepared
from transfer.corpora.base import SPLITS, Card, Corpus
from transfer.corpora.own import Request, read
from transfer.inputs import InputError
from transfer.kinds import KINDS, Kind, kind_of
from transfer.metrics import measure_of

NAMES = {"similarity": "sim", "classification": "rel", "tagging": "ner", "multilabel": "multi"}


# values have no gold to learn or to be scored against: test_values.py
@pytest.fixture(params=[name for name in KINDS if not KINDS[name].external])
def kind(request) -> Kind:
    return kind_of(request.param)


@pytest.fixture
def corpus(kind: Kind, tiny_corpora: Path) -> Corpus:
    return corpora.load_one(tiny_corpora, NAMES[kind.name])


@pytest.fixture
def rows(kind: Kind, tiny_corpora: Path) -> list[dict]:
    text = (tiny_corpora / NAMES[kind.name] / "test.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def remade(card: Card, rows: list[dict]) -> Corpus:
    return prepared.from_rows(card.model_dump(), dict.fromkeys(SPLITS, rows), source="prepared")


def test_a_row_becomes_its_texts_and_its_gold(kind: Kind, corpus: Corpus, rows: list[dict]):
    for row, example in zip(rows, corpus.test, strict=True):
        assert json.loads(json.dumps(example.gold)) == row[kind.gold]
        texts = [row[key] for key in kind.text_keys(corpus.card)]
        assert list(example.text) == (texts[0] if kind.tokenized else texts)


def test_a_row_without_a_key_or_with_another_one_is_refused(kind: Kind, corpus: Corpus, rows: list[dict]):
    for key in ("id", *kind.text_keys(corpus.card), kind.gold):
        with pytest.raises(InputError, match=f"^{corpus.name} train row 1: the key '{key}' is missing"):
            remade(corpus.card, [{k: v for k, v in rows[0].items() if k != key}])
    with pytest.raises(InputError, match="unknown key 'colour'"):
        remade(corpus.card, [{**rows[0], "colour": "red"}])


@pytest.mark.parametrize("gold", [None, {}, [[]], True, float("nan"), "no such name"])
def test_gold_that_the_card_does_not_allow_is_refused(kind: Kind, corpus: Corpus, rows: list[dict], gold):
    with pytest.raises(InputError, match=f"^{corpus.name} train row 1: "):
        remade(corpus.card, [{**rows[0], kind.gold: gold}])


def test_each_metric_scores_gold_against_itself(kind: Kind, corpus: Corpus):
    gold = [example.gold for example in corpus.test]
    assert kind.metrics
    for metric in kind.metrics:
        assert measure_of(metric, negative=corpus.card.negative)(gold, gold) == pytest.approx(1.0)


def test_the_baseline_predicts_each_test_item_and_is_not_perfect(kind: Kind, corpus: Corpus):
    gold = [example.gold for example in corpus.test]
    fit = kind.baseline(corpus.card, [example.gold for example in corpus.train], gold)
    assert fit is not None
    words, predicted = fit
    assert words
    assert not measure_of(corpus.card.metric, negative=corpus.card.negative)(gold, predicted) >= 1.0


def test_gold_values_are_named_counted_and_stratified(kind: Kind, corpus: Corpus):
    names = {name for example in corpus.test for name in corpus.card.names_in(example.gold)}
    assert names == (set() if kind.numeric else {*(corpus.card.entities or corpus.card.labels)})
    assert sum(kind.count(corpus.card, example.gold) for example in corpus.test) > 0
    assert len({kind.stratum(example.gold) for example in corpus.test}) <= len(corpus.test)


def test_a_blank_gold_value_is_one_that_a_row_may_have(kind: Kind, corpus: Corpus, rows: list[dict]):
    for row, example in zip(rows, corpus.test, strict=True):
        gold = kind.blank(corpus.card, len(example.text))
        row[kind.gold] = list(gold) if isinstance(gold, tuple) else gold
    assert len(remade(corpus.card, rows).test) == len(rows)


def test_its_rows_are_read_back_from_a_users_file(kind: Kind, corpus: Corpus, tiny_corpora: Path):
    """`prepare own` makes the card and the rows of the very corpus, but for what no row tells."""
    home = tiny_corpora / corpus.name
    request = Request(
        kind=kind.name,
        name=corpus.name,
        sources=tuple((home / f"{split}.jsonl", split) for split in SPLITS),
        negative=corpus.card.negative,
    )
    card, reading = read(request)
    again = prepared.from_rows(card.model_dump(), reading.rows, source="prepared")
    for split in SPLITS:
        assert again.split(split) == corpus.split(split)
    assert (card.kind, card.metric, card.pair) == (kind.name, corpus.card.metric, corpus.card.pair)
    assert {*card.labels, *card.entities} == {*corpus.card.labels, *corpus.card.entities}
    assert card.gold["test"] == corpus.counts["test"]


def test_its_options_are_options_of_prepare_own(kind: Kind):
    known = {f"--{field.name.replace('_', '-')}" for field in fields(Said)}
    assert kind.options <= known


def test_no_other_module_tests_for_a_kind():
    package = Path(transfer.__file__).parent
    asked = re.compile(rf'kind == |\.kind (!=|in|not in) |"({"|".join(KINDS)})":')
    halves = {package / "kinds", package / "tasks"}
    found = [
        f"{path.relative_to(package)}: {line.strip()}"
        for path in package.rglob("*.py")
        if path.parent not in halves
        for line in path.read_text(encoding="utf-8").splitlines()
        if asked.search(line)
    ]
    assert not found


def test_the_model_card_describes_it_and_its_code_is_python(kind: Kind, corpus: Corpus):
    assert kind.description(corpus.card).endswith(".")
    code = kind.usage
    for key, value in {"texts": "text", "max_length": "128", "longest": "30"}.items():
        code = code.replace(f"{{{key}}}", value)
    compile(code, "card", "exec")
    assert "def predict(" in code
