"""Access to a release: its web page, and the files that `transfer corpora fetch` downloads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Download:
    """A file on the web and what is kept of it.

    ``to`` is its place below the folder of the release; a ``gzip`` file is unpacked to there, the
    files of a ``zip`` below there, without the archive's own top folder. Of a zip's files those that match
    one of the patterns ``keep`` are kept.

    ``sha256`` and ``size`` (bytes) belong to what is kept, not to what is transferred: GitHub packs its
    archives anew, and their bytes change while their files do not. For a zip, ``sha256`` is the hash of the
    output of ``sha256sum`` over the kept files, ordered by path: `transfer.corpora.fetching.listing`.
    """

    url: str
    to: str
    size: int
    sha256: str
    pack: Literal["none", "gzip", "zip"] = "none"
    keep: tuple[str, ...] = ("*",)


@dataclass(frozen=True)
class Access:
    """Ways to get a release.

    ``page`` is its authors'. With ``downloads`` anybody can have it; without, ``how`` says what to do.
    ``via`` is the page of a copy (or a preparation) that is downloaded instead of the authors' files.
    """

    page: str
    downloads: tuple[Download, ...] = ()
    how: str = ""
    via: str = ""

    @property
    def size(self) -> int:
        """Bytes of all that is kept."""
        return sum(download.size for download in self.downloads)


def github(
    repository: str,
    commit: str,
    files: Sequence[tuple[str, int, str]],
    *,
    page: str = "",
    below: str = "",
    pack: Literal["none", "gzip"] = "none",
) -> Access:
    """Access to files of a GitHub repository at a commit: (path below ``below``, size, SHA-256) each.

    The repository is the authors', unless they have a ``page`` elsewhere.
    """
    root = f"https://raw.githubusercontent.com/{repository}/{commit}/{below}"
    ending = ".gz" if pack == "gzip" else ""
    downloads = (Download(f"{root}{path}{ending}", path, size, sha256, pack) for path, size, sha256 in files)
    return _access(repository, page, tuple(downloads))


def github_zip(
    repository: str,
    commit: str,
    size: int,
    sha256: str,
    *,
    page: str = "",
    path: str = "",
    keep: tuple[str, ...] = ("*",),
) -> Access:
    """Access to a zip: the file at ``path`` of a GitHub repository, by default the whole repository."""
    at = (
        f"https://raw.githubusercontent.com/{repository}/{commit}/{path}"
        if path
        else f"https://github.com/{repository}/archive/{commit}.zip"
    )
    return _access(repository, page, (Download(at, "", size, sha256, "zip", keep),))


def _access(repository: str, page: str, downloads: tuple[Download, ...]) -> Access:
    home = f"https://github.com/{repository}"
    return Access(page or home, downloads, via=home if page else "")
