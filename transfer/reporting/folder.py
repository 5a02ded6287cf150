"""The one place where reports, comparisons, panels and the paper's tables are written to a folder."""

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path


def write_folder(
    home: Path,
    texts: Mapping[str, str],
    *,
    draw: Callable[[Path], Iterable[Path]] | None = None,
    ours: Sequence[str] = (),
) -> list[Path]:
    """Write drawings, then texts by file name into a folder; return the files in that order.

    `draw` makes its files in the folder that it is given. All files are made beside their places and moved
    in when complete, so none is ever half-written; a page that comes last among the texts finds what it
    refers to. Files that match a pattern of `ours` and were not made now are an earlier run's: they go.
    """
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=".new-") as folder:
        made = [*draw(Path(folder))] if draw else []
        for name, text in texts.items():
            made.append(Path(folder, name))
            made[-1].write_text(text, encoding="utf-8")
        for path in made:
            os.replace(path, home / path.name)
    written = [home / path.name for path in made]
    for path in {path for pattern in ours for path in home.glob(pattern)}.difference(written):
        path.unlink()
    return written
