"""Downloads from a server on loopback: kept whole or not at all, and never what was not expected."""

import gzip
import hashlib
import io
import socket
import zipfile
from pathlib import Path

import pytest

from transfer.corpora.fetching import fetch, listing
from transfer.corpora.releases import unwatched
from transfer.corpora.releases.access import Access, Download
from transfer.inputs import InputError

TEXT = b"a text\n"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def zipped(files: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
    return packed.getvalue()


def access(*downloads: Download) -> Access:
    return Access("https://example.org", downloads)


def refused(access: Access, to: Path) -> str:
    with pytest.raises(InputError) as caught:
        fetch("tiny", access, to, unwatched)
    assert not to.exists()
    return str(caught.value)


def test_files_land_where_they_belong(serve, tmp_path: Path):
    home = serve({"/plain": TEXT, "/packed.gz": gzip.compress(TEXT * 2)})
    home_of = fetch(
        "tiny",
        access(
            Download(f"{home}/plain", "deep/er/plain.txt", len(TEXT), sha256(TEXT)),
            Download(f"{home}/packed.gz", "unpacked.txt", 2 * len(TEXT), sha256(TEXT * 2), "gzip"),
        ),
        tmp_path / "raw",
        unwatched,
    )
    assert home_of == tmp_path / "raw" / "tiny"
    assert (home_of / "deep" / "er" / "plain.txt").read_bytes() == TEXT
    assert (home_of / "unpacked.txt").read_bytes() == TEXT * 2
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["tiny"]


def test_of_a_zip_only_what_belongs_to_the_release_is_kept(serve, tmp_path: Path):
    packed = zipped(
        {
            "top/train.txt": TEXT,
            "top/in/test.txt": TEXT,
            "top/.DS_Store": b"x",
            "top/README.md": b"not asked for",
            "__MACOSX/top/._train.txt": b"x",
            "top/../../../outside.txt": b"x",
        }
    )
    expected = listing({"train.txt": TEXT, "in/test.txt": TEXT})
    home = serve({"/a.zip": packed})
    made = fetch(
        "tiny",
        access(
            Download(f"{home}/a.zip", "", 2 * len(TEXT), sha256(expected.encode()), "zip", ("*.txt",)),
        ),
        tmp_path / "raw",
        unwatched,
    )
    assert {str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()} == {
        "train.txt",
        "in/test.txt",
    }


def test_what_is_there_is_never_replaced(serve, tmp_path: Path):
    home = serve({"/plain": TEXT})
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "mine.txt").write_bytes(b"mine")
    with pytest.raises(InputError, match="tiny: already exists"):
        fetch("tiny", access(Download(f"{home}/plain", "mine.txt", 7, sha256(TEXT))), tmp_path, unwatched)
    assert (tmp_path / "tiny" / "mine.txt").read_bytes() == b"mine"


def test_a_file_that_was_changed_leaves_nothing_behind(serve, tmp_path: Path):
    home = serve({"/first": TEXT, "/second": b"another text\n"})
    said = refused(
        access(
            Download(f"{home}/first", "first.txt", len(TEXT), sha256(TEXT)),
            Download(f"{home}/second", "second.txt", 13, sha256(TEXT)),
        ),
        tmp_path / "raw",
    )
    assert f"{home}/second: has SHA-256 {sha256(b'another text' + bytes([10]))}, not {sha256(TEXT)}" in said


@pytest.mark.parametrize("pack", ["gzip", "zip"])
def test_a_file_that_is_no_archive(pack, serve, tmp_path: Path):
    home = serve({"/a": TEXT})
    download = Download(f"{home}/a", "a.txt", len(TEXT), sha256(TEXT), pack)
    assert f"is no {pack} file" in refused(access(download), tmp_path / "raw")


def test_an_archive_that_unpacks_to_more_than_expected(serve, tmp_path: Path):
    home = serve({"/a.zip": zipped({"top/a.txt": b"0" * 10_000}), "/a.gz": gzip.compress(b"0" * 10_000)})
    download = Download(f"{home}/a.zip", "", 100, sha256(b""), "zip")
    assert "more than 100 bytes" in refused(access(download), tmp_path / "raw")
    download = Download(f"{home}/a.gz", "a.txt", 100, sha256(b"0" * 100), "gzip")
    assert "has SHA-256" in refused(access(download), tmp_path / "raw")


def test_what_the_server_lacks_or_breaks_off(serve, tmp_path: Path):
    home = serve({"/cut": TEXT})
    assert "the server answers 404" in refused(
        access(Download(f"{home}/gone", "a.txt", 7, sha256(TEXT))), tmp_path / "raw"
    )
    said = refused(access(Download(f"{home}/cut", "a.txt", 7, sha256(TEXT))), tmp_path / "raw")
    assert f"{home}/cut: has SHA-256" in said


def test_without_a_network(tmp_path: Path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    download = Download(f"http://127.0.0.1:{port}/a", "a.txt", 7, sha256(TEXT))
    said = refused(access(download), tmp_path / "raw")
    assert f"is 127.0.0.1:{port} reachable from this machine?" in said


def test_a_folder_that_cannot_be_written_to(serve, tmp_path: Path):
    home = serve({"/plain": TEXT})
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InputError, match="file: cannot be written to"):
        fetch("tiny", access(Download(f"{home}/plain", "a", 7, sha256(TEXT))), tmp_path / "file", unwatched)
