"""File access of a store: a folder, or a bucket of an object store.

Whatever is written appears whole or not at all, from however many processes, and there are no locks:
in a folder the last step is a rename, in a bucket a put. Names are relative, with ``/`` between parts.
"""

import contextlib
import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

from transfer.inputs import InputError
from transfer.ledger_files import LedgerFiles

# seconds; a file that is being written is renamed within moments, a kept encoder within its job
DRAFTS_LIVE = 24 * 3600
REQUESTS_AT_ONCE = 16


class Files(Protocol):
    """Interface between a store and the place of its files."""

    where: Path

    def at(self, name: str) -> str:
        """The place of a name, as a message shows it."""
        ...

    def read(self, name: str) -> bytes:
        """The contents of a file. Raises FileNotFoundError."""
        ...

    def read_all(self, names: Iterable[str]) -> dict[str, bytes]:
        """Contents of those of the files that exist, by name."""
        ...

    def write(self, name: str, data: bytes, *, durable: bool = False) -> None:
        """Write or replace a file; ``durable``: it then survives a loss of power."""
        ...

    def put(self, file: Path, name: str) -> None:
        """Move a local file in (from ``scratch``, where it costs nothing)."""
        ...

    def publish(self, draft: Path, name: str, *, last: str) -> None:
        """Move a local folder in, replacing one that is there; its file ``last`` comes last."""
        ...

    def names(self, folder: str) -> list[str]:
        """The names of what is directly in a folder, sorted; none where there is no such folder."""
        ...

    def exists(self, name: str) -> bool: ...

    def size(self, name: str) -> int:
        """Bytes of a folder's files."""
        ...

    def remove(self, name: str) -> None:
        """Remove a file, or a folder with everything in it; do nothing if there is none."""
        ...

    def move(self, name: str, to: str) -> None:
        """Move a folder within the store."""
        ...

    def scratch(self) -> contextlib.AbstractContextManager[Path]:
        """An empty local folder for what is being made; it is removed with what is left in it."""
        ...

    def sweep(self) -> None:
        """Remove half-written files of killed processes that are older than a day."""
        ...


def files_at(where: Path) -> Files:
    """The files in a folder (it may not exist yet), in a bucket (``s3://bucket/prefix``) or in a ledger."""
    if address(where).startswith("s3://"):
        return Bucket(where)
    return LedgerFiles(where) if where.is_file() else Folder(where)


def address(where: Path) -> str:
    """A folder or a bucket as a person writes it: pathlib makes ``s3:/bucket`` of ``s3://bucket``."""
    return re.sub("^s3:/+", "s3://", str(where))


class Folder:
    """Files in a folder of this machine, or one that many machines share."""

    def __init__(self, where: Path) -> None:
        self.where = where.absolute()  # for workers that run somewhere else
        self._told = where

    def at(self, name: str) -> str:
        return str(self._told / name)

    def read(self, name: str) -> bytes:
        return (self.where / name).read_bytes()

    def read_all(self, names: Iterable[str]) -> dict[str, bytes]:
        found = {}
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                found[name] = self.read(name)
        return found

    def write(self, name: str, data: bytes, *, durable: bool = False) -> None:
        path = self.where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
        try:
            draft.write_bytes(data)
            if durable:
                _to_disk(draft)
            os.replace(draft, path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise

    def put(self, file: Path, name: str) -> None:
        path = self.where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _to_disk(file)
        os.replace(file, path)

    def publish(self, draft: Path, name: str, *, last: str) -> None:
        home = self.where / name
        home.parent.mkdir(parents=True, exist_ok=True)
        for path in draft.rglob("*"):
            if path.is_file():
                _to_disk(path)
        if home.exists():
            with self.scratch() as old:
                os.replace(home, old / "old")
        os.replace(draft, home)
        _to_disk(home.parent)

    def names(self, folder: str) -> list[str]:
        try:
            # what begins with a full stop is a draft
            return sorted(name for name in os.listdir(self.where / folder) if not name.startswith("."))
        except (FileNotFoundError, NotADirectoryError):
            return []

    def exists(self, name: str) -> bool:
        return (self.where / name).exists()

    def size(self, name: str) -> int:
        return sum(path.stat().st_size for path in (self.where / name).rglob("*") if path.is_file())

    def remove(self, name: str) -> None:
        path = self.where / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def move(self, name: str, to: str) -> None:
        path = self.where / to
        path.parent.mkdir(parents=True, exist_ok=True)
        os.replace(self.where / name, path)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        # in the store, so that a rename brings it into place
        folder = self.where / "tmp" / uuid.uuid4().hex
        try:
            folder.mkdir(parents=True)
            yield folder
        finally:
            try:
                shutil.rmtree(folder, ignore_errors=True)
            except KeyboardInterrupt:  # it came while files were being removed
                shutil.rmtree(folder, ignore_errors=True)
                raise

    def sweep(self) -> None:
        for draft in (self.where / "tmp").glob("*"):
            with contextlib.suppress(OSError):  # another run sweeps too, or the draft's writer lives
                if time.time() - draft.stat().st_mtime > DRAFTS_LIVE:
                    shutil.rmtree(draft)


class Bucket:
    """Files in an object store that speaks S3, through pyarrow; a reader sees what was put before.

    Credentials, region and endpoint come from where AWS's own tools take them (AWS_ACCESS_KEY_ID,
    AWS_ENDPOINT_URL, …), or from the address: ``s3://bucket/prefix?scheme=http&endpoint_override=host:9000``.
    """

    def __init__(self, where: Path) -> None:
        from pyarrow.fs import FileSystem, FileType

        self.where = where
        told = address(where)
        try:
            self._files, self._root = FileSystem.from_uri(told)
            # a bucket is not made by itself: a misspelt name would begin an empty store
            there = self._files.get_file_info(self._root.partition("/")[0]).type
        except (OSError, ValueError) as error:
            raise InputError(f"{told}: cannot be reached ({_reason(error)})") from None
        if there is FileType.NotFound:
            raise InputError(f"{told}: there is no such bucket; make it first")

    def at(self, name: str) -> str:
        return f"s3://{self._root}/{name}"

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    def read(self, name: str) -> bytes:
        with self._files.open_input_stream(self._path(name)) as file:
            return file.read()

    def read_all(self, names: Iterable[str]) -> dict[str, bytes]:
        def read(name: str) -> bytes | None:
            try:
                return self.read(name)
            except FileNotFoundError:
                return None

        names = list(names)
        with ThreadPoolExecutor(REQUESTS_AT_ONCE) as pool:
            return {n: data for n, data in zip(names, pool.map(read, names), strict=True) if data is not None}

    def write(self, name: str, data: bytes, *, durable: bool = False) -> None:
        with self._files.open_output_stream(self._path(name)) as file:
            file.write(data)

    def put(self, file: Path, name: str) -> None:
        self.write(name, file.read_bytes())
        file.unlink()

    def publish(self, draft: Path, name: str, *, last: str) -> None:
        files = [str(path.relative_to(draft)) for path in sorted(draft.rglob("*")) if path.is_file()]
        for file in sorted(files, key=lambda file: file == last):
            self.write(f"{name}/{file}", (draft / file).read_bytes())

    def _infos(self, folder: str, *, recursive: bool = False) -> list[Any]:
        from pyarrow.fs import FileSelector

        return self._files.get_file_info(
            FileSelector(self._path(folder), allow_not_found=True, recursive=recursive)
        )

    def names(self, folder: str) -> list[str]:
        return sorted(info.base_name for info in self._infos(folder))

    def exists(self, name: str) -> bool:
        from pyarrow.fs import FileType

        return self._files.get_file_info(self._path(name)).type is not FileType.NotFound

    def size(self, name: str) -> int:
        return sum(info.size or 0 for info in self._infos(name, recursive=True))

    def remove(self, name: str) -> None:
        from pyarrow.fs import FileType

        kind = self._files.get_file_info(self._path(name)).type
        with contextlib.suppress(FileNotFoundError):
            if kind is FileType.File:
                self._files.delete_file(self._path(name))
            elif kind is FileType.Directory:
                self._files.delete_dir(self._path(name))

    def move(self, name: str, to: str) -> None:
        for info in self._infos(name, recursive=True):
            if info.is_file:
                rest = info.path.removeprefix(self._path(name))
                self._files.copy_file(info.path, self._path(to) + rest)
        self.remove(name)

    @contextlib.contextmanager
    def scratch(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="transfer-") as folder:
            made = Path(folder) / "draft"
            made.mkdir()
            yield made

    def sweep(self) -> None:
        """An object store has no drafts: what is put is whole."""


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]
