"""Tagging: a tag for each token, BIO of mentions (named entities) or a plain label (part of speech)."""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from transfer.inputs import InputError
from transfer.kinds.base import Kind, Row, check_names, known, quoted, strings
from transfer.kinds.cells import words_in
from transfer.kinds.classification import most_frequent
from transfer.metrics import spans

if TYPE_CHECKING:
    from transfer.corpora.base import Card


class TaggingKind(Kind):
    """A tag for each token. Where the metric is span F1, mentions are counted and have entity types."""

    name = "tagging"
    metrics = ("span_f1", "token_accuracy")
    gold = "tags"
    gold_noun = "sequence of tags"
    optional = frozenset({"starts", "mentions"})
    tokenized = True
    options = frozenset({"--label", "--labels", "--sentence", "--entity", "--scheme", "--blank-tokens"})
    usage = '''

@torch.no_grad()
def tags_of(tokens):
    encoded = tokenizer(tokens, is_split_into_words=True)
    words = encoded.word_ids(0)
    if gone := set(range(len(tokens))) - set(words):  # tokens of control characters alone
        return tags_of([tokenizer.unk_token if i in gone else token for i, token in enumerate(tokens)])
    if len(words) > {max_length} and len(tokens) > 1:
        half = len(tokens) // 2
        return tags_of(tokens[:half]) + tags_of(tokens[half:])
    encoded = tokenizer(
        tokens, is_split_into_words=True, truncation=True, max_length={max_length}, return_tensors="pt"
    )
    best = model(**encoded).logits[0].argmax(dim=-1)
    return [model.config.id2label[int(best[words.index(i)])] for i in range(len(tokens))]


def predict(tokens):
    """A tag for each token (a word or a mark), read at its first word piece.

    As in training, a sentence of more than {longest} tokens is cut into parts of nearly equal length.
    """
    # some tokenizers know a word by the space before it
    bare, spaced = (tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("a", " a"))
    tokens = [token if bare == spaced else f" {token}" for token in tokens]
    count = -(-len(tokens) // {longest})
    bounds = [i * (len(tokens) // count) + min(i, len(tokens) % count) for i in range(count + 1)]
    return [tag for a, b in zip(bounds, bounds[1:]) for tag in tags_of(tokens[a:b])]
'''

    def text_keys(self, card: "Card") -> tuple[str, ...]:
        return ("tokens",)

    def texts_of(self, card: "Card", where: str, row: Row) -> tuple[str, ...]:
        tokens = strings(where, row, "tokens")
        if not tokens or not all(token.strip() for token in tokens):
            raise InputError(f"{where}: 'tokens' should be a list of texts, none of them empty")
        return tokens

    def gold_of(self, card: "Card", where: str, row: Row) -> tuple[str, ...]:
        tokens, tags = row["tokens"], strings(where, row, "tags")
        if len(tokens) != len(tags):
            raise InputError(f"{where}: {len(tokens)} tokens but {len(tags)} tags; each token has one")
        if card.spans:
            return tuple(_checked_bio(where, tags, card.entities)) + tuple(_untagged(card, where, row, tags))
        for key in sorted(self.optional & row.keys()):
            raise InputError(f"{where}: '{key}' is for mentions; with token_accuracy a token has a label")
        return tuple(known(where, tag, card.labels) for tag in tags)

    def answer_of(self, card: "Card", where: str, value: Any, text: Sequence[str]) -> tuple[str, ...]:
        tags = strings(where, {"predicted": value}, "predicted")
        if len(tags) != len(text):
            raise InputError(f"{where}: {len(text)} tokens but {len(tags)} tags; each token has one")
        return tuple(known(where, tag, card.tags) for tag in tags)

    def check_card(self, card: "Card") -> None:
        check_names(card, "entities" if card.spans else "labels", f" measured by {card.metric}")

    def names_in(self, card: "Card", gold: tuple[str, ...]) -> set[str]:
        return {tag[2:] for tag in gold if tag != "O"} if card.spans else set(gold)

    def stratum(self, gold: tuple[str, ...]) -> str:
        return " ".join(sorted({tag[2:] for tag in gold if tag[:2] in ("B-", "I-")}))

    def unit(self, card: "Card") -> str:
        return "mentions" if card.spans else "tokens"

    def count(self, card: "Card", gold: Sequence[str]) -> int:
        return len(spans(gold) if card.spans else gold)

    def baseline(self, card: "Card", train: Sequence[Any], test: Sequence[Any]) -> tuple[str, list[Any]]:
        tag = "O" if card.spans else most_frequent(tag for tags in train for tag in tags)
        return "no mention" if card.spans else f"always '{tag}'", [(tag,) * len(tags) for tags in test]

    def blank(self, card: "Card", length: int) -> tuple[str, ...]:
        return card.tags[:1] * length

    def running_texts(self, text: tuple[str, ...]) -> tuple[str, ...]:
        return (" ".join(text),)

    def description(self, card: "Card") -> str:
        if card.spans:
            return f"A BIO tag for each token of a sentence; the entities are {quoted(card.entities)}."
        return f"One label for each token of a sentence: {quoted(card.labels)}."

    def gold_in(self, value: Any, where: str, *, separator: str, names: Sequence[str]) -> list[str]:
        return words_in(value, where)

    def card_keys(self, rows: Sequence[Row], metric: str | None) -> dict[str, Any]:
        tags = {tag for row in rows for tag in row["tags"]}
        if metric == "token_accuracy":
            return {"labels": sorted(tags)}
        # a mention in several pieces has no tag, and is gold all the same
        types = {entity for row in rows for entity, *_ in row.get("mentions", ())}
        types |= {tag[2:] for tag in tags if tag != "O"}
        if not types:
            raise InputError("there is no mention in any of the files; all tags are O")
        return {"entities": sorted(types)}


def _checked_bio(where: str, tags: Sequence[str], entities: tuple[str, ...]) -> Iterator[str]:
    before = "O"
    for i, tag in enumerate(tags):
        if tag != "O":
            prefix, _, entity = tag.partition("-")
            if prefix not in ("B", "I") or not entity:
                raise InputError(f"{where}: tag {i + 1} is '{tag}'; it should be O, B-<type> or I-<type>")
            known(where, entity, entities)
            if prefix == "I" and before[2:] != entity:
                raise InputError(
                    f"{where}: an illegal BIO step, '{before}' then '{tag}' at tag {i + 1}; "
                    f"a mention starts with B-{entity}"
                )
        before = tag
        yield tag


def _untagged(card: "Card", where: str, row: Row, tags: Sequence[str]) -> Iterator[str]:
    """A ``B-`` tag for each gold mention that the tags do not name; see ``Example``."""
    if "mentions" not in row and "starts" not in row:
        return
    for key in ("mentions", "starts"):
        if key not in row:
            raise InputError(f"{where}: 'starts' and 'mentions' go together; '{key}' is missing")
    tokens, starts, mentions = row["tokens"], row["starts"], row["mentions"]
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
        known(where, mention[0], card.entities)
        gold.add(tuple(mention))
    ends = [start + len(token) for start, token in zip(starts, tokens, strict=True)]
    named = {(entity, starts[a], ends[b - 1]) for entity, a, b in spans(tags)}
    for entity, start, end in sorted(named - gold):
        raise InputError(f"{where}: the tags name a {entity} from {start} to {end} that 'mentions' has not")
    yield from (f"B-{entity}" for entity, *_ in sorted(gold - named))


def _whole_numbers(values: Any) -> bool:
    return isinstance(values, list) and all(
        isinstance(v, int) and not isinstance(v, bool) and v >= 0 for v in values
    )
