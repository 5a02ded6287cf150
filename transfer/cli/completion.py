"""Shell completion, without heavy imports and without exceptions."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import typer

YAML = (".yaml", ".yml")


def grids(incomplete: str) -> list[str]:
    """YAML files, and folders on the way to them (one of which may be a report's)."""
    found = [path for path in _paths(incomplete) if path.endswith(("/", *YAML))]
    # a shell would put a space behind the only candidate, though a folder is no end of the way
    return [*found, *(p for p in _paths(found[0]) if p.endswith(("/", *YAML)))] if _folder(found) else found


def folders(incomplete: str) -> list[str]:
    """Folders."""
    return [path for path in _paths(incomplete) if path.endswith("/")]


def releases(incomplete: str) -> list[str]:
    """The corpora that ``prepare`` knows by name."""
    from transfer.corpora.releases import RELEASES

    return _starting(incomplete, ["own", *sorted(RELEASES)])


def downloads(incomplete: str) -> list[str]:
    """The corpora that ``corpora fetch`` can download."""
    from transfer.corpora.releases import RELEASES

    return _starting(incomplete, sorted(name for name, r in RELEASES.items() if r.access.downloads))


def encoders(incomplete: str) -> list[str]:
    """Aliases of encoders, and folders."""
    from transfer.encoders import ALIASES

    return [*_starting(incomplete, ALIASES), *(path for path in _paths(incomplete) if path.endswith("/"))]


def tasks(context: typer.Context, incomplete: str) -> list[str]:
    """The tasks of the grid or report that --from names."""
    where = context.params.get("from_")
    return _starting(incomplete, _tasks_in(Path(where))) if where else []


def kinds(incomplete: str) -> list[str]:
    """Task kinds."""
    from transfer.kinds import KINDS

    return _starting(incomplete, KINDS)


def stages(incomplete: str) -> list[str]:
    """Stages."""
    return _starting(incomplete, ["refine", "fine-tune"])


def _folder(found: list[str]) -> bool:
    return len(found) == 1 and found[0].endswith("/")


def _tasks_in(where: Path) -> Iterable[str]:
    import csv

    import yaml

    try:
        if where.is_dir():
            with (where / "table_corpora.csv").open(encoding="utf-8", newline="") as file:
                return [row["name"] for row in csv.DictReader(file)]
        return [str(task) for task in yaml.safe_load(where.read_text(encoding="utf-8"))["tasks"]]
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return []  # the command itself will say what is wrong


def _paths(incomplete: str) -> Iterator[str]:
    head, slash, tail = incomplete.rpartition("/")
    try:
        for path in sorted(Path(head + slash or ".").iterdir()):
            if path.name.startswith(tail) and (tail or not path.name.startswith(".")):
                yield f"{head}{slash}{path.name}{'/' if path.is_dir() else ''}"
    except OSError:
        return


def _starting(incomplete: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
