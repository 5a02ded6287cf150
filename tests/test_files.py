"""One contract for every place that a store's files may be in: a folder, and a bucket of an object store."""

import os
import threading
import time
from pathlib import Path

import pytest

from transfer.files import Bucket, Files, Folder, address, files_at
from transfer.inputs import InputError

BACKENDS = {"folder": Folder, "bucket": Bucket}


@pytest.fixture(params=BACKENDS)
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    bucket = request.param == "bucket"
    where = request.getfixturevalue("bucket") if bucket else tmp_path / "runs"
    files = files_at(Path(where))
    assert type(files) is BACKENDS[request.param]
    return files


def draft_of(files: Files, folder: Path, **texts: str) -> Path:
    draft = folder / "draft"
    for name, text in texts.items():
        path = draft / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return draft


def test_what_was_written_is_read_and_replaced(files: Files):
    files.write("a/b.json", b"one")
    files.write("a/b.json", b"two", durable=True)
    assert files.read("a/b.json") == b"two"
    assert files.names("a") == ["b.json"], "no draft is left beside it"


def test_what_is_not_there_is_said_or_empty(files: Files):
    with pytest.raises(FileNotFoundError):
        files.read("a/none")
    assert not files.exists("a/none")
    assert files.names("a") == []
    assert files.size("a") == 0
    files.remove("a/none")
    files.remove("a")


def test_those_that_are_there_are_read_at_once(files: Files):
    for i in range(20):
        files.write(f"many/{i}", str(i).encode())
    wanted = [f"many/{i}" for i in range(0, 40, 2)]
    assert files.read_all(wanted) == {f"many/{i}": str(i).encode() for i in range(0, 20, 2)}
    assert files.read_all([]) == {}


def test_names_are_those_directly_in_a_folder_in_order(files: Files):
    for name in ("b", "a", "inner/c", "inner/deeper/d"):
        files.write(f"f/{name}", b"x")
    assert files.names("f") == ["a", "b", "inner"]
    assert files.exists("f/inner/deeper/d")
    assert files.exists("f/inner")


def test_a_local_file_is_moved_in(files: Files):
    with files.scratch() as folder:
        file = folder / "w"
        file.write_bytes(b"weights")
        files.put(file, "home/w")
        assert not file.exists()
    assert files.read("home/w") == b"weights"


def test_scratch_is_empty_local_and_removed_whatever_happens(files: Files):
    made: list[Path] = []

    def interrupted() -> None:
        with files.scratch() as folder:
            made.append(folder)
            assert list(folder.iterdir()) == []
            (folder / "left").write_text("behind")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not made[0].exists()


def test_a_folder_is_published_whole_with_its_last_file_last(files: Files, monkeypatch: pytest.MonkeyPatch):
    """A reader that finds ``last`` finds all of it."""
    with files.scratch() as folder:
        draft = draft_of(files, folder, result="r", a__z="z", zz="zz")
        seen: list[str] = []
        write = files.write

        def noted(name: str, data: bytes, **kw) -> None:
            seen.append(name)
            write(name, data, **kw)

        monkeypatch.setattr(files, "write", noted)
        files.publish(draft, "jobs/1", last="result")
        assert not seen or seen[-1] == "jobs/1/result", "one by one: the last is last; a rename needs none"
    assert files.names("jobs/1") == ["a", "result", "zz"]
    assert files.read("jobs/1/a/z") == b"z"


def test_what_is_published_takes_the_place_of_what_was_there(files: Files):
    for text in ("old", "new"):
        with files.scratch() as folder:
            files.publish(draft_of(files, folder, result=text), "jobs/1", last="result")
    assert files.read("jobs/1/result") == b"new"
    assert files.names("jobs") == ["1"]


def test_size_counts_the_bytes_below_a_folder(files: Files):
    files.write("f/a", b"12345")
    files.write("f/inner/b", b"678")
    files.write("g/c", b"9")
    assert files.size("f") == 8


def test_files_and_folders_are_removed_alone(files: Files):
    for name in ("f/a", "f/inner/b", "fa"):
        files.write(name, b"x")
    files.remove("f/a")
    assert not files.exists("f/a")
    assert files.exists("f/inner/b")
    files.remove("f")
    assert not files.exists("f/inner/b")
    assert files.read("fa") == b"x", "a name that only begins alike stays"


def test_a_folder_is_moved_with_all_that_is_in_it(files: Files):
    files.write("jobs/1/result", b"r")
    files.write("jobs/1/model/w", b"w")
    files.move("jobs/1", "quarantine/jobs-1")
    assert not files.exists("jobs/1/result")
    assert files.read("quarantine/jobs-1/result") == b"r"
    assert files.read("quarantine/jobs-1/model/w") == b"w"


def test_a_message_shows_where_a_name_is(files: Files):
    assert files.at("jobs/1").endswith("/runs/jobs/1")
    assert files.at("jobs/1").startswith(address(files.where).partition("/runs")[0])


def test_a_reader_never_sees_a_part_of_what_is_written(files: Files):
    texts = [bytes([letter]) * 200_000 for letter in b"ab"]
    files.write("f", texts[0])
    over = threading.Event()

    def write() -> None:
        i = 0
        while not over.is_set():
            files.write("f", texts[i % 2])
            i += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert all(files.read("f") in texts for _ in range(20))
    finally:
        over.set()
        writer.join()


def test_sweeping_leaves_what_was_written(files: Files):
    files.write("jobs/1/result", b"r")
    files.sweep()
    assert files.read("jobs/1/result") == b"r"


def test_drafts_a_day_old_are_swept_and_young_ones_are_not(tmp_path: Path):
    files = Folder(tmp_path)
    for name, age in (("old", 25 * 3600), ("young", 3600)):
        (tmp_path / "tmp" / name).mkdir(parents=True)
        os.utime(tmp_path / "tmp" / name, (time.time() - age,) * 2)
    files.sweep()
    assert files.names("tmp") == ["young"]


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    files = Folder(tmp_path)
    files.write("f/a", b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        files.write("f/a", b"new")
    assert files.read("f/a") == b"old"
    assert os.listdir(tmp_path / "f") == ["a"]


def test_a_bucket_that_is_not_there_is_not_made(bucket: str):
    with pytest.raises(InputError, match=r"s3://misspelt/runs: there is no such bucket; make it first"):
        files_at(Path("s3://misspelt/runs"))
