"""Writer of prepared corpora: a folder appears complete or not at all, and equal rows give equal bytes."""

import contextlib
import json
import os
import shutil
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from transfer.corpora import prepared
from transfer.corpora.base import SPLITS, Card, Corpus, Split
from transfer.inputs import InputError


def write(
    card: Card, rows: Mapping[Split, Iterable[Mapping[str, Any]]], to: Path, *, replace: bool = False
) -> Corpus:
    """Write ``<to>/<card.name>/`` and return it as it is read back, checked line by line.

    Raises InputError where a row is not what the card says, or where the folder is there already
    and ``replace`` is not said; what was there before is then untouched.
    """
    home = to / card.name
    if home.exists() and not replace:
        raise InputError(f"{home}: is there already; --force replaces it")
    draft = to / f".{card.name}.{uuid.uuid4().hex}"
    try:
        (draft / card.name).mkdir(parents=True)
    except OSError as error:
        raise InputError(f"{to}: cannot be written to ({error.strerror or error})") from None
    try:
        for split in SPLITS:
            with (draft / card.name / f"{split}.jsonl").open("w", encoding="utf-8", newline="\n") as file:
                file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows[split])
        told = {k: v for k, v in card.model_dump(mode="json").items() if v not in ("", [], None, {}, False)}
        text = yaml.safe_dump(told, sort_keys=False, allow_unicode=True, width=100)
        (draft / card.name / "corpus.yaml").write_text(text, encoding="utf-8", newline="\n")
        try:
            corpus = prepared.read(draft, card.name)
        except InputError as error:
            raise InputError(str(error).replace(str(draft), str(to))) from None
        if home.exists():
            os.replace(home, draft / "old")
        os.replace(draft / card.name, home)
        return corpus
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        with contextlib.suppress(OSError):
            to.rmdir()  # only where nothing was written and nothing else is in it
