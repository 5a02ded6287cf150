"""The texts and the gold value of a row, by the kind of its corpus; see ``Example`` for both."""

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from transfer.corpora.base import Card
from transfer.inputs import InputError, did_you_mean
from transfer.metrics import spans

Row = Mapping[str, Any]


def string(where: str, row: Row, key: str) -> str:
    """The text of a key. Raises InputError where it is no text, or blank."""
    value = row[key]
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{where}: '{key}' should be a text that is not empty, not {json.dumps(value)[:60]}")
    return value


def _strings(where: str, row: Row, key: str) -> tuple[str, ...]:
    value = row[key]
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        raise InputError(f"{where}: '{key}' should be a list of texts, not {json.dumps(value)[:60]}")
    return tuple(value)


def _texts(card: Card, where: str, row: Row) -> tuple[str, ...]:
    keys = ("text_a", "text_b") if card.pair or card.kind == "similarity" else ("text",)
    return tuple(string(where, row, key) for key in keys)


def _known(where: str, label: str, labels: tuple[str, ...]) -> str:
    if label not in labels:
        raise InputError(
            f"{where}: the label '{label}' is not in the card's set{did_you_mean(label, labels)}"
        )
    return label


def _similarity(card: Card, where: str, row: Row) -> tuple[tuple[str, ...], float]:
    score = row["score"]
    if isinstance(score, bool) or not isinstance(score, (int, float)) or not math.isfinite(score):
        raise InputError(f"{where}: 'score' should be a number, not {json.dumps(score)[:60]}")
    if card.range is not None and not card.range[0] <= score <= card.range[1]:
        low, high = card.range
        raise InputError(f"{where}: the score {score:g} is outside the card's range {low:g} to {high:g}")
    return _texts(card, where, row), float(score)


def _classification(card: Card, where: str, row: Row) -> tuple[tuple[str, ...], str]:
    return _texts(card, where, row), _known(where, string(where, row, "label"), card.labels)


def _multilabel(card: Card, where: str, row: Row) -> tuple[tuple[str, ...], tuple[str, ...]]:
    labels = tuple(_known(where, label, card.labels) for label in _strings(where, row, "labels"))
    if len(set(labels)) < len(labels):
        raise InputError(f"{where}: 'labels' names a label twice")
    return _texts(card, where, row), labels


def _tagging(card: Card, where: str, row: Row) -> tuple[tuple[str, ...], tuple[str, ...]]:
    tokens, tags = _strings(where, row, "tokens"), _strings(where, row, "tags")
    if not tokens or not all(token.strip() for token in tokens):
        raise InputError(f"{where}: 'tokens' should be a list of texts, none of them empty")
    if len(tokens) != len(tags):
        raise InputError(f"{where}: {len(tokens)} tokens but {len(tags)} tags; each token has one")
    if not card.spans:
        for key in ("mentions", "starts"):
            if key in row:
                raise InputError(f"{where}: '{key}' is for mentions; with token_accuracy a token has a label")
        return tokens, tuple(_known(where, tag, card.labels) for tag in tags)
    before = "O"
    for i, tag in enumerate(tags):
        if tag != "O":
            prefix, _, entity = tag.partition("-")
            if prefix not in ("B", "I") or not entity:
                raise InputError(f"{where}: tag {i + 1} is '{tag}'; it should be O, B-<type> or I-<type>")
            _known(where, entity, card.entities)
            if prefix == "I" and before[2:] != entity:
                raise InputError(
                    f"{where}: an illegal BIO step, '{before}' then '{tag}' at tag {i + 1}; "
                    f"a mention starts with B-{entity}"
                )
        before = tag
    return tokens, (*tags, *_untagged(card, where, row, tokens, tags))


def _untagged(
    card: Card, where: str, row: Row, tokens: tuple[str, ...], tags: tuple[str, ...]
) -> Iterator[str]:
    """A ``B-`` tag for each gold mention that the tags do not name; see Example."""
    if "mentions" not in row and "starts" not in row:
        return
    for key in ("mentions", "starts"):
        if key not in row:
            raise InputError(f"{where}: 'starts' and 'mentions' go together; '{key}' is missing")
    starts, mentions = row["starts"], row["mentions"]
    if not _whole_numbers(starts) or len(starts) != len(tokens) or sorted(starts) != starts:
        raise InputError(f"{where}: 'starts' should be a rising whole number for each of the tokens")
    gold = set()
    for mention in mentions if isinstance(mentions, list) else [mentions]:
        if (
            not isinstance(mention, list)
            or len(mention) < 3
            or len(mention) % 2 == 0
            or not isinstance(mention[0], str)
            or not _whole_numbers(mention[1:])
        ):
            shown = json.dumps(mention)[:60]
            raise InputError(f"{where}: a mention should be [type, start, end], not {shown}")
        _known(where, mention[0], card.entities)
        gold.add(tuple(mention))
    ends = [start + len(token) for start, token in zip(starts, tokens, strict=True)]
    named = {(kind, starts[a], ends[b - 1]) for kind, a, b in spans(tags)}
    for kind, start, end in sorted(named - gold):
        raise InputError(f"{where}: the tags name a {kind} from {start} to {end} that 'mentions' has not")
    yield from (f"B-{kind}" for kind, *_ in sorted(gold - named))


def _whole_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in values
    )


READERS = {
    "similarity": _similarity,
    "classification": _classification,
    "multilabel": _multilabel,
    "tagging": _tagging,
}
