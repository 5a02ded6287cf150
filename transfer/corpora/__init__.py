"""Loading of corpora: prepared folders (a card and three JSONL files) or the synthetic ones."""

from collections.abc import Sequence
from pathlib import Path

from transfer.corpora import prepared
from transfer.corpora.base import Corpus, Limit, build
from transfer.inputs import NotThere, did_you_mean

SYNTHETIC = "synthetic"


def load(where: str | Path, names: Sequence[str], *, limit: Limit | None = None) -> tuple[Corpus, ...]:
    """Load the named corpora from ``where``: the word 'synthetic', or a folder of prepared corpora.

    Raises InputError (file, line, what would be right) for a corpus that is missing or broken.
    """
    return tuple(load_one(where, name, limit=limit) for name in names)


def load_one(where: str | Path, name: str, *, limit: Limit | None = None) -> Corpus:
    """Load one corpus, as ``load`` does."""
    if str(where) == SYNTHETIC:
        from transfer.corpora import synthetic

        if name not in synthetic.NAMES:
            hint = did_you_mean(name, synthetic.NAMES)
            raise NotThere(f"there is no synthetic corpus '{name}'{hint}")
        return prepared.from_rows(
            synthetic.card(name),
            {split: synthetic.rows(name, split) for split in ("train", "dev", "test")},
            source=SYNTHETIC,
            limit=limit,
        )
    return prepared.read(Path(where), name, limit=limit)


__all__ = ["SYNTHETIC", "Corpus", "Limit", "build", "load", "load_one"]
