"""Download of public releases: on request only; files with an unexpected hash are discarded."""

import contextlib
import fnmatch
import gzip
import hashlib
import http.client
import io
import os
import shutil
import urllib.error
import urllib.parse
import urllib.request
import uuid
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from transfer import __version__
from transfer.corpora.releases.access import Access, Download
from transfer.corpora.releases.base import Watch
from transfer.inputs import InputError

MOST = 64 << 20  # bytes of one download; the largest release has 8 MB
SECONDS = 60  # without a byte from the server


def fetch(name: str, access: Access, to: Path, watch: Watch) -> Path:
    """Download the release of a corpus to ``to/name`` and return that folder; it appears whole or not at all.

    Raises InputError where the folder exists, a file cannot be had, or its content has another SHA-256.
    """
    home = to / name
    if home.exists():
        raise InputError(f"{home}: already exists; remove it, or choose another folder with --out")
    draft = to / f".{name}.{uuid.uuid4().hex}"
    try:
        draft.mkdir(parents=True)
        for download in watch(access.downloads, f"downloading {name}"):
            for path, data in _kept(download, _transferred(download.url)).items():
                place = draft / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
        os.replace(draft, home)
    except OSError as error:
        raise InputError(f"{to}: cannot be written to ({error.strerror or error})") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        with contextlib.suppress(OSError):
            to.rmdir()  # only where nothing was written and nothing else is in it
    return home


def listing(files: Mapping[str, bytes]) -> str:
    """The output of ``sha256sum`` for files by path, ordered by path. Its hash identifies a folder.

    >>> listing({"b.txt": b"", "a.txt": b""})[64:]
    '  a.txt\\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b.txt\\n'
    """
    return "".join(f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items()))


def _transferred(url: str) -> bytes:
    host = urllib.parse.urlsplit(url).netloc
    request = urllib.request.Request(url, headers={"User-Agent": f"transfer/{__version__}"})
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as response:
            data = response.read(MOST + 1)
    except urllib.error.HTTPError as error:
        raise InputError(
            f"{url}: the server answers {error.code} ({error.reason}); try again later"
        ) from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise InputError(
            f"{url}: cannot be downloaded ({reason}); is {host} reachable from this machine? A release "
            "that was downloaded elsewhere can be copied here"
        ) from None
    if len(data) > MOST:
        raise InputError(f"{url}: is larger than {MOST >> 20} MiB, which is not the file that was expected")
    return data


def _kept(download: Download, data: bytes) -> dict[str, bytes]:
    """The files of a download by path. Raises InputError for a wrong hash."""
    try:
        if download.pack == "zip":
            files = _members(download, data)
            found = hashlib.sha256(listing(files).encode()).hexdigest()
        else:
            if download.pack == "gzip":
                with gzip.open(io.BytesIO(data)) as packed:
                    data = packed.read(download.size + 1)
            files = {download.to: data}
            found = hashlib.sha256(data).hexdigest()
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError, ValueError) as error:
        raise InputError(f"{download.url}: is no {download.pack} file ({error}); nothing was kept") from None
    if found != download.sha256:
        raise InputError(
            f"{download.url}: has SHA-256 {found}, not {download.sha256} as expected: it has been changed or "
            "was damaged on its way; nothing was kept"
        )
    return files


def _members(download: Download, data: bytes) -> dict[str, bytes]:
    """The files of a zip to keep, by their path below its top folder.

    Hidden files (``.DS_Store``) and paths that lead elsewhere (``..``) are left out.
    """
    files: dict[str, bytes] = {}
    left = download.size
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for member in archive.infolist():
            top, *inner = PurePosixPath(member.filename).parts
            path = "/".join(inner)
            if member.is_dir() or top == "__MACOSX" or any(part.startswith(".") for part in inner):
                continue
            if not inner or not any(fnmatch.fnmatchcase(path, pattern) for pattern in download.keep):
                continue
            with archive.open(member) as file:
                files[path] = file.read(left + 1)
            left -= len(files[path])
            if left < 0:
                raise ValueError(f"its files have more than {download.size} bytes")
    return files
