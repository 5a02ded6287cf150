"""``transfer corpora prepare own --kind tagging``: the options about tokens and tags."""

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from transfer.inputs import InputError

if TYPE_CHECKING:
    from transfer.cli.own import Said
    from transfer.corpora.own import TaggingOptions
    from transfer.kinds import Kind, Metric

SentenceColumn = Annotated[
    str | None,
    typer.Option(
        "--sentence",
        metavar="COLUMN",
        help="For tagging: column that numbers the sentences, where a row is one token.",
    ),
]
EntityName = Annotated[
    str | None,
    typer.Option(
        "--entity",
        metavar="NAME",
        help="For tagging: entity type of tags without one (B, I; default: the corpus's name).",
    ),
]
SchemeName = Annotated[
    str | None,
    typer.Option(
        "--scheme",
        help="For tagging: scheme that the tags must follow: bio, iob1, io or bioes (default: detected).",
    ),
]
BlankTokens = Annotated[
    str | None,
    typer.Option("--blank-tokens", help="For tagging: drop leaves blank tokens out (default: an error)."),
]


def for_each_label(said: "Said", kind: "Kind") -> "list[Said]":
    """The options for each corpus that is asked for: one, or one per column of tags."""
    columns = [column.strip() for column in (said.label or "").split(",")]
    if not kind.tokenized or len(columns) == 1:
        return [said]
    if not all(columns) or len(set(columns)) < len(columns):
        raise InputError(f"--label {said.label}: should be different columns with commas between them")
    names = [re.sub(r"[^A-Za-z0-9._-]+", "-", f"{said.name}-{column}") for column in columns]
    if said.name is not None and len(set(names)) < len(names):
        raise InputError(f"--label {said.label}: two of the corpora would be called {names[0]}")
    return [
        replace(said, label=column, name=None if said.name is None else name)
        for column, name in zip(columns, names, strict=True)
    ]


def tagging_of(said: "Said", metric: "Metric | None") -> "TaggingOptions":
    """The tagging options. Raises InputError for an unknown value, or one that does not fit."""
    from transfer.corpora.own import TaggingOptions
    from transfer.corpora.own.schemes import scheme_named

    for option, value in (("--entity", said.entity), ("--scheme", said.scheme)):
        if value is not None and metric == "token_accuracy":
            raise InputError(f"{option} is for tags of mentions; with --metric token_accuracy leave it out")
    if said.entity is not None and not said.entity.strip():
        raise InputError("--entity: should be a name, as in Disease")
    if said.blank_tokens not in (None, "drop"):
        raise InputError(f"--blank-tokens: '{said.blank_tokens}' is unknown; known: drop")
    return TaggingOptions(
        entity=said.entity.strip() if said.entity else None,
        scheme=scheme_named(said.scheme) if said.scheme is not None else None,
        drop_blanks=said.blank_tokens == "drop",
    )
