"""From a grid's file to what is run: all input is read and checked here."""

import contextlib
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from transfer import expansion
from transfer.inputs import InputError, NotThere, place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from transfer.corpora import Corpus
    from transfer.encoders import EncoderFiles
    from transfer.grid import Grid
    from transfer.jobs import Job
    from transfer.records import GridRecord
    from transfer.store import Store


def expanded(
    grid_file: Path, corpora: str | None, overrides: list[str] | None
) -> "tuple[Grid, GridRecord, EncoderFiles, dict[str, Corpus]]":
    """The grid of a file, its jobs, and what they need: all input is read and checked here."""
    from transfer import corpora as corpora_
    from transfer import encoders
    from transfer.corpora.base import SPLITS
    from transfer.corpora.baseline import baseline_of
    from transfer.corpora.overlap import overlaps
    from transfer.corpora.undefined import foreseen
    from transfer.grid import Grid
    from transfer.lengths import SubwordCounter
    from transfer.recorded import report_name
    from transfer.records import CorpusRecord, GridRecord

    grid = Grid.load(grid_file, overrides=overrides or (), corpora=corpora)
    if grid.corpora is None:
        raise InputError(f"{grid_file}: the grid names no corpora; say where they are with --corpora DIR")
    if corpora is None and not os.path.exists(grid.corpora):
        _relative_to_the_grid(grid_file, grid.corpora)
    loaded = []
    for i, name in enumerate(grid.tasks):
        with _named_in(grid_file, overrides, "tasks", i):
            loaded.append(corpora_.load_one(grid.corpora, name, limit=grid.limit_of(name)))
    with _named_in(grid_file, overrides, "encoder", errors=InputError):
        files = encoders.locate(
            grid.encoder.name,
            layers=grid.encoder.layers,
            pieces=grid.recipe.max_length,
            precision=grid.recipe.precision,
        )
    _learnable(grid_file, loaded)
    counter = SubwordCounter(files.folder)
    shared = overlaps(loaded)
    items = {c.name: {s: len(c.split(s)) for s in SPLITS} | {"train": c.train_items} for c in loaded}
    record = GridRecord(
        grid=grid,
        recipe_name=grid.recipe_name,
        report_name=report_name(grid, grid_file, overrides=overrides or (), corpora=corpora),
        overrides=tuple(overrides or ()),
        source=loaded[0].source,
        corpora=tuple(
            CorpusRecord(
                card=c.card,
                fingerprint=c.fingerprint,
                items=items[c.name],
                words={
                    split: sum(len(text.split()) for e in c.split(split) for text in e.text)
                    for split in SPLITS
                },
                notes=c.notes,
                counts=dict(c.counts),
                baseline=baseline_of(c),
                doubts=tuple(foreseen(c)),
                truncated=counter.truncated_in(c, grid.recipe.max_length),
                pool=None if c.sample is None else len(c.train),
            )
            for c in loaded
        ),
        overlaps=tuple(
            f"{count} of {items[target]['test']} test items of {target} have text that is in {source} train"
            for (source, target), count in shared.items()
        ),
        jobs=expansion.jobs_of(
            grid,
            {c.name: c.fingerprint for c in loaded},
            encoder_fingerprint=files.fingerprint,
            train_items={name: size["train"] for name, size in items.items()},
            shared=shared.keys(),
        ),
    )
    return grid, record, files, {c.name: c for c in loaded}


def _learnable(grid_file: Path, loaded: "Sequence[Corpus]") -> None:
    """Raises InputError where dev or test has labels that no train item has: no model could predict them."""
    from transfer.corpora.undefined import unseen_labels

    for i, corpus in enumerate(loaded):
        if corpus.unseen:
            known = sorted(
                set[str]().union(*(corpus.card.names_in(example.gold) for example in corpus.train))
            )
            some = ", ".join(f"'{label}'" for label in known[:5]) + (" …" if len(known) > 5 else "")
            raise InputError(
                f"{place(grid_file, ('tasks', i))}: the corpus '{corpus.name}': "
                f"{unseen_labels(corpus.unseen)}; train has {some}. Spell a label alike in all splits, "
                "give train items of it, or leave its items out"
            )


def doubts(record: "GridRecord") -> "Iterator[str]":
    """Warnings about a grid's corpora: undefined scores, lost labels, truncated texts."""
    for corpus in record.corpora:
        name, cut = corpus.card.name, corpus.truncated or {}
        yield from (f"{name}: {text}" for text in corpus.doubts)
        if sum(cut.values()):
            there = corpus.items if corpus.pool is None else corpus.items | {"train": corpus.pool}
            items = ", ".join(f"{cut[split]} of {there[split]} in {split}" for split in cut if cut[split])
            yield (
                f"{name}: texts longer than {record.grid.recipe.max_length} subword tokens lose their end "
                f"(recipe.max_length): {items}"
            )


def loadable(
    grid_file: Path,
    record: "GridRecord",
    files: "EncoderFiles",
    *,
    memory: float | None = None,
) -> None:
    """Raises InputError where a grid's encoder does not load, or tokenizer or way to share do not fit it.

    ``memory`` (bytes): what a job may have at most, where that is known.
    """
    from transfer.learning import encoder, sharing

    grid, overrides = record.grid, record.overrides
    with _named_in(grid_file, overrides, "encoder", errors=InputError):
        loaded = encoder.check(files.folder, layers=grid.encoder.layers, cased=files.cased)
    with _named_in(grid_file, overrides, "recipe", errors=InputError):
        most = max(map(len, grid.groups()))
        sharing.check(grid.recipe.share, loaded, corpora=most, memory=memory)


def _relative_to_the_grid(grid_file: Path, folder: str) -> None:
    """Raises InputError where the folder that a grid names lies where the command runs, not beside it."""
    if folder == "synthetic" or grid_file.parent == Path():
        return
    here = Path(folder).relative_to(grid_file.parent) if not Path(folder).is_absolute() else None
    if here is not None and here.is_dir():
        raise InputError(
            f"{place(grid_file, ('corpora',))}: there is no such folder of prepared corpora: {folder}; "
            f"a grid's folder is relative to the grid's file, the one here goes with --corpora {here}"
        )


@contextlib.contextmanager
def _named_in(
    grid_file: Path, overrides: "Sequence[str] | None", *key: str | int, errors: type[InputError] = NotThere
) -> "Iterator[None]":
    """Add the line of the grid, or the option, that names something to the message that it is not there."""
    from transfer.grid import place_of

    try:
        yield
    except errors as error:
        raise type(error)(f"{place_of(grid_file, key, overrides or ())}: {error}") from None


def recorded(
    grid_file: Path, corpora: str | None, overrides: list[str] | None, store_dir: Path
) -> "GridRecord":
    """A grid as it was last run into the store; needs neither its corpora nor its encoder."""
    from transfer.recorded import record_of
    from transfer.store import Store

    return record_of(Store(store_dir), grid_file, overrides=overrides or (), corpora=corpora)


def site(
    store: "Store",
    grid: "Grid",
    files: "EncoderFiles",
    *,
    checkpoint_seconds: float,
    keep: frozenset[str],
    cuda_graphs: bool = False,
):
    from transfer.learning.worker_data import Site

    where = grid.corpora if grid.corpora == "synthetic" else str(Path(str(grid.corpora)).resolve())
    return Site(
        store=store.files.where,
        corpora=where,
        limits={name: grid.limit_of(name) for name in grid.tasks},
        encoder=files.folder.resolve(),
        checkpoint_seconds=checkpoint_seconds,
        run=uuid.uuid4().hex,
        grid=grid.id,
        keep=keep,
        cuda_graphs=cuda_graphs,
    )


WORDS = 20  # of an example whose words were not counted


def costs(record: "GridRecord") -> dict[str, float]:
    """The cost of each job of a grid in words trained on; a word that is evaluated costs a third of that."""
    items = {c.card.name: c.items for c in record.corpora}
    words = {}
    for c in record.corpora:
        name = c.card.name
        words[name] = dict(c.words or {split: WORDS * size for split, size in c.items.items()})
        if c.words and c.pool:  # each seed draws a sample of the words that were counted
            words[name]["train"] = c.words["train"] * c.items["train"] / c.pool

    def cost(job: "Job") -> float:
        longer = 1 + job.extra_examples / items[job.names[0]]["train"]  # of its one corpus
        return sum(
            job.recipe.epochs * (words[n]["train"] * longer + words[n]["dev"] / 3) + words[n]["test"] / 3
            for n in job.names
        )

    return {job.id: cost(job) for job in record.jobs}
