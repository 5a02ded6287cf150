"""Tagged text of any format as sentences with BIO tags or plain labels."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from transfer.corpora.own.rows import Columns
from transfer.corpora.own.schemes import Placed, Read, Scheme, as_bio
from transfer.corpora.own.tables import Record, Table
from transfer.corpora.own.tokens import LABELS, SPANS, TOKENS, in_sentences, usual
from transfer.inputs import InputError, did_you_mean
from transfer.kinds.cells import words_in


@dataclass(frozen=True)
class TaggingOptions:
    """Options for tagged text.

    ``entity`` is the type of tags that have none. ``scheme`` is the one that the tags follow; None is
    to find out. ``drop_blanks`` leaves out tokens of nothing but white space, which are refused otherwise.
    """

    entity: str | None = None
    scheme: Scheme | None = None
    drop_blanks: bool = False


# the columns of a format that names none
_OWN = ("tokens", "tags")


@dataclass(frozen=True)
class _Sentence:
    record: Record
    tokens: list[str]
    tags: list[str]
    places: Sequence[str]


def tagged(
    tables: Sequence[Table],
    columns: Columns,
    options: TaggingOptions,
    *,
    name: str,
    plain: bool = False,
    numbered: Sequence[str] = (),
) -> tuple[list[Table], Columns]:
    """Convert tables to one sentence per record with tags in BIO. Returns them, and the columns to read.

    One scheme is taken for all tables, and what is assumed of it is a doubt of the first. ``plain``
    leaves the tags as they are, as labels. ``name`` is the corpus's; ``numbered`` are the names of tags
    that are numbers. Raises InputError, with the place of a token, for what cannot be read.
    """
    for table in tables:
        if _is_standoff(table):
            _check_standoff(table, columns, options, plain=plain)
    columned = [table for table in tables if not _is_standoff(table)]
    chosen = [_columns_of(table, columns, plain=plain) for table in columned]
    joined = [
        in_sentences(table, text, tags, columns) if table.named else (table, None)
        for table, (text, tags, _) in zip(columned, chosen, strict=True)
    ]
    parts = [
        [_sentence(record, text, tags, numbered) for record in table.records]
        for (table, _), (text, tags, _) in zip(joined, chosen, strict=True)
    ]
    placed: list[Placed] = [
        list(zip(sentence.tags, sentence.places, strict=True)) for part in parts for sentence in part
    ]
    if plain:
        read = _plain(placed)
    else:
        read = as_bio(placed, name=name, entity=options.entity, scheme=options.scheme)
    # the columns keep their names where all tables have the same
    names = {(text, tags) for text, tags, _ in chosen}
    keys = names.pop() if len(names) == 1 and len(columned) == len(tables) else _OWN
    sequences, doubts = iter(read.sequences), read.doubts
    made = []
    for (table, _), part, (_, _, said) in zip(joined, parts, chosen, strict=True):
        counts = Counter[str]()
        records = [
            _without_blanks(sentence, next(sequences), counts, keys, drop=options.drop_blanks, plain=plain)
            for sentence in part
        ]
        gone = counts["blank sentences"]
        made.append(
            replace(
                table,
                records=[record for record in records if record],
                columns=table.columns | set(keys),
                counts=counts,
                skipped={**table.skipped, **({"blank sentences": gone} if gone else {})},
                doubts=(*said, *table.doubts, *doubts),
                format=f"{table.format}; {read.scheme} tags".removeprefix("; "),
            )
        )
        doubts = ()  # they are about all tables
    done = iter(made)
    sentences = {sentence for _, sentence in joined if sentence}
    sentence = sentences.pop() if len(sentences) == 1 else None
    return (
        [table if _is_standoff(table) else next(done) for table in tables],
        replace(columns, text=keys[0], label=keys[1], sentence=sentence),
    )


def _is_standoff(table: Table) -> bool:
    return any("mentions" in record.extra for record in table.records)


def _check_standoff(table: Table, columns: Columns, options: TaggingOptions, *, plain: bool) -> None:
    """Raise InputError for an option that does not apply to stand-off, whose tags are made in BIO."""
    if plain:
        raise InputError(f"{table.path}: stand-off has mentions, no label for each token; leave --metric out")
    given = {"--entity": options.entity, "--scheme": options.scheme}
    for option in [*columns.said(), *(option for option, value in given.items() if value)]:
        raise InputError(
            f"{option}: {table.path} is stand-off, which has no columns and no tags; leave it out"
        )


def _columns_of(table: Table, columns: Columns, *, plain: bool) -> tuple[str, str, list[str]]:
    """Columns of tokens and tags, and doubts about the choice."""
    if not table.named:
        return *_OWN, []
    place = table.head or str(table.path)
    for option, said in columns.said().items():
        if said not in table.columns:
            hint = did_you_mean(said, table.columns)
            raise InputError(f"{place}: there is no column '{said}', which {option} names{hint}")
    doubts = []
    chosen = []
    for option, said, names, what in (
        ("--text", columns.text, TOKENS, "tokens"),
        ("--label", columns.label, LABELS if plain else SPANS, "tags"),
    ):
        found = usual(table.columns, names)
        if said is None and not found:
            there = ", ".join(sorted(table.columns)) or "none"
            raise InputError(
                f"{place}: no column has a usual name for {what} ({', '.join(names)}); there are {there}; "
                f"name it with {option} COLUMN"
            )
        chosen.append(said or found[0])
        others = [other for other in found[1:] if other != "text" and said is None]
        if others:
            doubts.append(
                f"{table.path.name}: the {what} are read from the column '{found[0]}', not from "
                f"{' or '.join(map(repr, others))} ({option} COLUMN chooses)"
            )
    return chosen[0], chosen[1], doubts


def _sentence(record: Record, text: str, tags: str, numbered: Sequence[str]) -> _Sentence:
    lists = []
    for column in (text, tags):
        if column not in record.values:
            raise InputError(
                f"{record.where}: the key '{column}' is missing{did_you_mean(column, record.values)}"
            )
        value, where = record.values[column], f"{record.where}: the column '{column}'"
        if column == tags:
            value = _named(value, numbered, where)
        # where each token has a place, a blank one is refused there
        lists.append(words_in(value, where, blanks=True))
    words, labels = lists
    if len(words) != len(labels):
        raise InputError(f"{record.where}: {len(words)} tokens but {len(labels)} tags; each token has one")
    places = record.places or [f"{record.where} token {i}" for i in range(1, len(words) + 1)]
    return _Sentence(record, words, [label.strip() for label in labels], places)


def _named(value: Any, names: Sequence[str], where: str) -> Any:
    """Replace numbers in a cell of tags by their names."""
    if not isinstance(value, list) or not any(isinstance(one, int) for one in value):
        return value
    for number in value:
        if not isinstance(number, int) or not 0 <= number < len(names):
            told = f"holds {number!r}, which has no name" if names else f"holds numbers, as in {number!r}"
            raise InputError(
                f"{where} {told}; --labels O,B-X,I-X gives the names of the numbers from 0, in their order"
            )
    return [names[number] for number in value]


def _plain(sequences: Sequence[Placed]) -> Read:
    for sequence in sequences:
        for tag, where in sequence:
            if not tag:
                raise InputError(f"{where}: the token has no tag; each token needs a label")
    return Read([[tag for tag, _ in sequence] for sequence in sequences], "plain")


def _without_blanks(
    sentence: _Sentence,
    tags: list[str],
    counts: Counter[str],
    keys: tuple[str, str],
    *,
    drop: bool,
    plain: bool,
) -> Record | None:
    """Make a record of a sentence without its blank tokens, which are counted; None if no token is left.

    ``keys`` are those of the tokens and of the tags.
    """
    kept = []
    for i, token in enumerate(sentence.tokens):
        if token.strip():
            kept.append(i)
            continue
        if not drop:
            raise InputError(
                f"{sentence.places[i]}: the token is {_blank(token)}; delete it in the file, or leave "
                "such tokens out with --blank-tokens drop"
            )
        counts["blank tokens"] += 1
        if tags[i].startswith("B-") and not plain:
            if tags[i + 1 : i + 2] == [f"I-{tags[i][2:]}"]:
                tags[i + 1] = tags[i]  # the mention begins behind the token
            else:
                counts["blank mentions"] += 1
    if not kept:
        counts["blank sentences"] += 1
        return None
    values = {
        **sentence.record.values,
        keys[0]: [sentence.tokens[i] for i in kept],
        keys[1]: [tags[i] for i in kept],
    }
    return replace(sentence.record, values=values, places=())


def _blank(token: str) -> str:
    if not token:
        return "empty"
    codes = " ".join(f"U+{ord(character):04X}" for character in token[:5])
    return f"nothing but white space ({codes}, {unicodedata.name(token[0], 'a control character').lower()})"
