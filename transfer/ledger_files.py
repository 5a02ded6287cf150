"""Files of a ledger: the members of one zip archive, verified and read-only."""

import contextlib
import hashlib
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NoReturn

from pydantic import BaseModel, ConfigDict, ValidationError

from transfer.inputs import InputError
from transfer.records import Damaged

FORMAT = 1
MANIFEST = "ledger.json"
MEMBER = re.compile(r"grids/[0-9a-f]{16}\.json|jobs/[0-9a-f]{16}/(result\.json|predictions\.parquet)")
# far above what results compress to
MOST_BYTES, MOST_RATIO = 64 * 2**20, 100
# what zipfile raises for an archive that is cut short or edited
BROKEN = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, OSError,
    ValueError, OverflowError, KeyError,
)  # fmt: skip


class Member(BaseModel):
    """Size in bytes and SHA-256 of one file of a ledger."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bytes: int
    sha256: str


class Manifest(BaseModel):
    """The contents of ``ledger.json``."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: Literal[1]
    transfer: str
    labels: bool
    members: Mapping[str, Member]


class LedgerFiles:
    """The members of a ledger as the files of a store that cannot be written to.

    Raises InputError where the file is no ledger, is cut short, was edited, comes from a later version, has
    members outside a store's layout, or unpacks to far more than its size; ``read`` raises Damaged where a
    member is not what was packed.
    """

    def __init__(self, where: Path) -> None:
        self.where = where = where.absolute()
        try:
            with zipfile.ZipFile(where) as archive:
                self._infos = {info.filename: info for info in archive.infolist()}
                if len(self._infos) < len(archive.infolist()):
                    raise ValueError("a member is there twice")
                unpacked = sum(info.file_size for info in self._infos.values())
                if unpacked > max(MOST_BYTES, MOST_RATIO * where.stat().st_size):
                    raise ValueError(f"it would unpack to {unpacked:,} bytes")
                text = archive.read(MANIFEST)
        except FileNotFoundError:
            raise InputError(f"{where}: there is no such file") from None
        except BROKEN as error:
            raise InputError(f"{where}: is not a ledger, or is damaged ({reason(error)})") from None
        self.manifest = _manifest(where, text)
        self._members = self.manifest.members
        for name in {*self._members, *self._infos} - {MANIFEST}:
            if not MEMBER.fullmatch(name):
                raise InputError(f"{where}: has a member outside a store's layout, {name[:80]!r}")
            if name not in self._infos or name not in self._members:
                raise InputError(f"{where}: its list of members is not what it holds ({name})")
            if self._infos[name].file_size != self._members[name].bytes:
                raise InputError(f"{where}: {name} was changed after it was packed")

    def at(self, name: str) -> str:
        return f"{self.where}:{name}"

    def read(self, name: str) -> bytes:
        return next(iter(self._read([name]).values()))

    def read_all(self, names: Iterable[str]) -> dict[str, bytes]:
        return self._read([name for name in names if name in self._members])

    def _read(self, names: Sequence[str]) -> dict[str, bytes]:
        found = {}
        for name in names:
            if name not in self._members:
                raise FileNotFoundError(self.at(name))
        try:
            with zipfile.ZipFile(self.where) as archive:
                for name in names:
                    with archive.open(name) as file:
                        found[name] = file.read(self._members[name].bytes + 1)
        except BROKEN as error:
            raise Damaged(f"{self.where}: is damaged ({reason(error)})") from None
        for name, data in found.items():
            if hashlib.sha256(data).hexdigest() != self._members[name].sha256:
                raise Damaged(f"{self.at(name)}: was changed after it was packed")
        return found

    def names(self, folder: str) -> list[str]:
        head = f"{folder}/"
        return sorted({n.removeprefix(head).partition("/")[0] for n in self._members if n.startswith(head)})

    def exists(self, name: str) -> bool:
        return name in self._members or bool(self.names(name))

    def size(self, name: str) -> int:
        return sum(m.bytes for n, m in self._members.items() if n == name or n.startswith(f"{name}/"))

    def _refuse(self) -> NoReturn:
        raise InputError(f"{self.where}: is a ledger, which nothing writes to; use transfer ledger merge")

    def write(self, name: str, data: bytes, *, durable: bool = False) -> None:
        self._refuse()

    def put(self, file: Path, name: str) -> None:
        self._refuse()

    def publish(self, draft: Path, name: str, *, last: str) -> None:
        self._refuse()

    def remove(self, name: str) -> None:
        self._refuse()

    def move(self, name: str, to: str) -> None:
        self._refuse()

    def scratch(self) -> contextlib.AbstractContextManager[Path]:
        self._refuse()

    def sweep(self) -> None:
        """Do nothing: a ledger has no drafts."""


def _manifest(where: Path, text: bytes) -> Manifest:
    try:
        found = json.loads(text)
        number = found.get("format") if isinstance(found, dict) else None
        if isinstance(number, int) and number > FORMAT:
            raise InputError(f"{where}: was packed by a later version of transfer; install that")
        return Manifest.model_validate(found)
    except (ValidationError, ValueError, RecursionError) as error:
        raise InputError(f"{where}: its {MANIFEST} is damaged ({reason(error)})") from None


def reason(error: Exception) -> str:
    """The first line of an error, at most 200 characters."""
    return str(error).strip().partition("\n")[0][:200] or type(error).__name__
