"""Expansion of a grid's file into its jobs; all input is read and checked here."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from transfer import corpora, encoders
from transfer.corpora import Corpus
from transfer.corpora.base import SPLITS
from transfer.corpora.baseline import baseline_of
from transfer.corpora.overlap import overlaps
from transfer.corpora.undefined import foreseen, unseen_labels
from transfer.encoders import EncoderFiles
from transfer.expansion import jobs_of
from transfer.external import EXTERNAL
from transfer.grid import Grid, place_of
from transfer.inputs import InputError, NotThere, place
from transfer.kinds import kind_of
from transfer.last_run import record_of, report_name
from transfer.lengths import SubwordCounter
from transfer.records import CorpusRecord, GridRecord
from transfer.store import Store


@dataclass(frozen=True)
class GridFile:
    """A grid's YAML file with the options that change it (``--corpora``, ``--set``)."""

    path: Path
    corpora: str | None = None
    overrides: Sequence[str] = ()

    def load(self) -> Grid:
        """The grid. Raises InputError that names file, line and key."""
        return Grid.load(self.path, overrides=self.overrides, corpora=self.corpora)

    def record(self, store: Store) -> GridRecord:
        """The grid as it was last run into the store; needs neither its corpora nor its encoder."""
        return record_of(store, self.path, overrides=self.overrides, corpora=self.corpora)

    @contextlib.contextmanager
    def naming(self, *key: str | int, errors: type[InputError] = NotThere) -> Iterator[None]:
        """Prefix the messages of such errors with the line or the option that gives this key."""
        try:
            yield
        except errors as error:
            raise type(error)(f"{place_of(self.path, key, self.overrides)}: {error}") from None


@dataclass(frozen=True)
class Expanded:
    """A grid with its jobs and the facts about its corpora, and the files of its encoder.

    With an external trainer there is no encoder.
    """

    file: GridFile
    record: GridRecord
    encoder: EncoderFiles | None

    @property
    def grid(self) -> Grid:
        return self.record.grid


def expand(file: GridFile) -> Expanded:
    """Read a grid, its corpora and the place of its encoder, and list its jobs. Raises InputError."""
    grid = file.load()
    if grid.corpora is None:
        raise InputError(f"{file.path}: the grid names no corpora; say where they are with --corpora DIR")
    if file.corpora is None and not os.path.exists(grid.corpora):
        _relative_to_the_grid(file.path, grid.corpora)
    loaded = []
    for i, name in enumerate(grid.tasks):
        with file.naming("tasks", i):
            loaded.append(corpora.load_one(grid.corpora, name, limit=grid.limit_of(name)))
    _trainable(file, grid, loaded)
    files = _encoder_of(file, grid) if grid.trainer == "bert" else None
    _learnable(file.path, loaded)
    counter = SubwordCounter(files.folder) if files else None
    shared = overlaps(loaded)
    tests = {c.name: len(c.split("test")) for c in loaded}
    described = tuple(_described(c, counter, grid.recipe.max_length) for c in loaded)
    record = GridRecord(
        grid=grid,
        recipe_name=grid.recipe_name,
        report_name=report_name(grid, file.path, overrides=file.overrides, corpora=file.corpora),
        overrides=tuple(file.overrides),
        source=loaded[0].source,
        corpora=described,
        overlaps=tuple(
            f"{count} of {tests[target]} test items of {target} have text that is in {source} train"
            for (source, target), count in shared.items()
        ),
        jobs=jobs_of(
            grid,
            {c.name: c.fingerprint for c in loaded},
            encoder_fingerprint=files.fingerprint if files else EXTERNAL,
            train_items={c.name: c.train_items for c in loaded},
            shared=shared.keys(),
        ),
    )
    return Expanded(file, record, files)


def _encoder_of(file: GridFile, grid: Grid) -> EncoderFiles:
    with file.naming("encoder", errors=InputError):
        return encoders.locate(
            grid.encoder.name,
            layers=grid.encoder.layers,
            pieces=grid.recipe.max_length,
            precision=grid.recipe.precision,
        )


def _trainable(file: GridFile, grid: Grid, loaded: Sequence[Corpus]) -> None:
    """Raise InputError if the built-in trainer is asked for a task kind that it does not have."""
    for i, corpus in enumerate(loaded):
        if grid.trainer == "bert" and kind_of(corpus.card.kind).external:
            with file.naming("tasks", i, errors=InputError):
                raise InputError(
                    f"the corpus '{corpus.name}' is of the kind {corpus.card.kind}, which only an external "
                    "trainer can learn; name one with the grid's key 'trainer'"
                )


def _described(corpus: Corpus, counter: SubwordCounter | None, max_length: int) -> CorpusRecord:
    return CorpusRecord(
        card=corpus.card,
        fingerprint=corpus.fingerprint,
        items={split: len(corpus.split(split)) for split in SPLITS} | {"train": corpus.train_items},
        words={
            split: sum(len(text.split()) for e in corpus.split(split) for text in e.text) for split in SPLITS
        },
        notes=corpus.notes,
        counts={**corpus.counts},
        baseline=baseline_of(corpus),
        doubts=tuple(foreseen(corpus)),
        truncated=counter.truncated_in(corpus, max_length) if counter else None,
        pool=None if corpus.sample is None else len(corpus.train),
    )


def _learnable(grid_file: Path, loaded: Sequence[Corpus]) -> None:
    """Raise InputError where dev or test has labels that no train item has: no model could predict them."""
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


def _relative_to_the_grid(grid_file: Path, folder: str) -> None:
    """Raise InputError where the folder that a grid names lies where the command runs, not beside it."""
    if folder == "synthetic" or grid_file.parent == Path():
        return
    here = Path(folder).relative_to(grid_file.parent) if not Path(folder).is_absolute() else None
    if here is not None and here.is_dir():
        raise InputError(
            f"{place(grid_file, ('corpora',))}: there is no such folder of prepared corpora: {folder}; "
            f"a grid's folder is relative to the grid's file, the one here goes with --corpora {here}"
        )


def doubts(record: GridRecord) -> Iterator[str]:
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


def fixed_samples(record: GridRecord) -> Iterator[str]:
    """A note on a grid that limits train and does not say whether each seed draws its own examples."""
    limits = {corpus.card.name: record.grid.limit_of(corpus.card.name) for corpus in record.corpora}
    silent = [
        corpus.card.name
        for corpus in record.corpora
        if corpus.items["train"] == limits[corpus.card.name].train
        and limits[corpus.card.name].resample is None
    ]
    if silent:
        yield (
            f"all seeds train on the same subset of {', '.join(silent)}, so no interval covers the choice of "
            "that subset; in 'limit', 'resample: true' draws one for each seed, 'resample: false' keeps this"
        )


def not_on_other_data(store: Store, expanded: Expanded) -> None:
    """Raise InputError if the store has this grid on the different data of another folder.

    The new record would replace that one, and its report could not be made again. A folder that was moved, or
    edited where it is, is no other one.
    """
    record = expanded.record
    try:
        before = store.get_grid(record.grid)
    except InputError:
        return
    there, here = before.grid.corpora, record.grid.corpora
    if not (there and here) or not Path(there).is_dir() or Path(there).samefile(here):
        return
    data = {corpus.card.name: corpus.fingerprint for corpus in before.corpora}
    other = [c.card.name for c in record.corpora if data.get(c.card.name) != c.fingerprint]
    if other:
        raise InputError(
            f"{expanded.file.path}: the store {store.place} has the grid '{record.grid.name}' with the "
            f"corpora in {there}; those in {here} have other data ({', '.join(other)}); keep both apart with "
            "--set name=NAME, or with --store and --out"
        )
