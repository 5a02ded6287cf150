"""The last run of a grid file: its record in a store, and the name of its report."""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePath

from transfer.grid import Grid
from transfer.inputs import InputError
from transfer.overrides import changes
from transfer.records import GridRecord
from transfer.store import NotRun, Store

LONGEST = 100  # characters of a folder's name
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9._=,+\[\]-]+")


def record_of(
    store: Store, path: Path, *, overrides: Sequence[str] = (), corpora: str | None = None
) -> GridRecord:
    """A grid as it was last run into the store; needs neither its corpora nor its encoder.

    Raises NotRun if there is no record of it. The message says what the store holds in its place.
    """
    grid = Grid.load(path, overrides=overrides, corpora=corpora)
    title = report_name(grid, path, overrides=overrides, corpora=corpora)
    try:
        return store.get_grid(grid).model_copy(update={"report_name": title})
    except NotRun as error:
        raise NotRun(f"{store.place}: {_instead(store, grid)}") from error


def _instead(store: Store, grid: Grid) -> str:
    """Message that says why a store has no record of a grid, and what to do."""
    run = "transfer run-grid GRID"
    records, jobs = store.files.names("grids"), store.files.names("jobs")
    if not records and not jobs:
        return (
            f"the grid '{grid.name}' was never run into this store, which has no results; run it first with "
            f"'{run}', or name its store with --store"
        )
    if not records:
        return (
            f"{len(jobs)} jobs are here but not the record of the grid '{grid.name}', grids/{grid.id}.json; "
            f"copy the folder grids/ of the original store too, or write the record again with '{run}', "
            "which only runs jobs that are missing"
        )
    others = [record for record in store.grids() if record.grid.name == grid.name]
    if not others:
        return (
            f"the grid '{grid.name}' was never run into this store, which has {_names(store)}; run it first "
            f"with '{run}', or name its store with --store"
        )
    known = min(others, key=lambda record: len(_differences(record.grid, grid)))
    return (
        f"the grid '{grid.name}' as it now reads was never run into this store, which has it with "
        f"{' and '.join(_differences(known.grid, grid))}; pass what it was run with (--set KEY=VALUE, "
        f"--corpora), or run it first with '{run}' and the same options"
    )


def _names(store: Store) -> str:
    names = sorted({record.grid.name for record in store.grids()})
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")


def _differences(there: Grid, here: Grid) -> list[str]:
    """The keys in which two grids differ, each with both values."""
    first, second = dict(_leaves(there)), dict(_leaves(here))
    return [
        f"{key}: {first.get(key, 'none')} (here {second.get(key, 'none')})"
        for key in sorted({**first, **second})
        if first.get(key) != second.get(key)
    ]


def _leaves(grid: Grid) -> Iterator[tuple[str, str]]:
    """Every key that makes a grid another one, with its value as text; keys of inner mappings with a dot."""
    data = grid.model_dump(mode="json", exclude={"corpora", "keep", "stands_for"}, exclude_none=True)
    if grid.corpora == "synthetic":
        data["corpora"] = "synthetic"
    for key, value in data.items():
        inner = value.items() if isinstance(value, dict) else ((None, value),)
        for name, leaf in inner:
            text = "[" + ", ".join(map(str, leaf)) + "]" if isinstance(leaf, list) else str(leaf)
            yield (f"{key}.{name}" if name else key), text


def report_name(grid: Grid, path: Path, *, overrides: Sequence[str] = (), corpora: str | None = None) -> str:
    """The name of the report of ``grid``, which was loaded from ``path`` with these options.

    It is the grid's own name, unless the options make another grid of the file: other jobs, rules or
    synthetic data in place of real. Then what was changed follows, as in ``pairs+seeds=[7]``. A name that was
    given with ``--set name=…`` is enough by itself.
    """
    changed = changes(overrides)
    if "name" in changed or not (changed or corpora):
        return grid.name
    try:
        own = Grid.load(path)
    except InputError:  # the file is complete only together with the options
        own = None
    if own is not None:
        if own.id == grid.id:
            return grid.name
        if corpora is not None and "synthetic" in (own.corpora, corpora):
            changed["corpora"] = corpora
    return with_changes(grid.name, changed)


def with_changes(name: str, changed: Mapping[str, str]) -> str:
    """The name followed by the changes, in alphabetical order and legible as a folder.

    A value that is a path is cut to its last part. A hash is added if that or an odd character loses
    anything, so that different changes never share a folder.

    >>> with_changes("pairs", {"seeds": "[7]", "recipe.epochs": "2"})
    'pairs+recipe.epochs=2+seeds=[7]'
    """
    told = {key: value.replace(" ", "") for key, value in sorted(changed.items())}
    shown = {key: _NOT_IN_A_NAME.sub("-", _last_part(value)) for key, value in told.items()}
    full = "+".join([name, *(f"{key}={value}" for key, value in shown.items())])
    if shown == told and len(full) <= LONGEST:
        return full
    digest = hashlib.sha256(repr(told).encode()).hexdigest()[:6]
    return f"{full[:LONGEST]}-{digest}"


def _last_part(value: str) -> str:
    return value if set("[{") & set(value) else PurePath(value).name
