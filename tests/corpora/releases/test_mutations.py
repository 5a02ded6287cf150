"""Damaged releases: a valid corpus or one message that names a file, and nothing in between."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from transfer.corpora import prepared
from transfer.corpora.releases import RELEASES, unwatched
from transfer.corpora.writing import write
from transfer.inputs import InputError

ASSETS = Path(__file__).parents[2] / "assets" / "releases"
# releases whose fixtures are not in a folder of their own name
FIXTURES = dict.fromkeys(("bc5cdr-disease", "bc5cdr-chemical"), ("bc5cdr", "bc5cdr_bioc"))
FIXTURES |= dict.fromkeys(("sick-relatedness", "sick-entailment"), ("sick",))
FIXTURES["biosses"] = ("biosses", "biosses_parts")
CASES = [
    (name, fixture)
    for name in sorted(RELEASES)
    for fixture in FIXTURES.get(name, (name,))
    if (ASSETS / fixture).is_dir()
]
Bits = np.random.Generator


def cut(data: bytes, bits: Bits) -> bytes:
    return data[: bits.integers(len(data))]


def swap_lines(data: bytes, bits: Bits) -> bytes:
    lines = data.split(b"\n")
    a, b = bits.integers(len(lines), size=2)
    lines[a], lines[b] = lines[b], lines[a]
    return b"\n".join(lines)


def utf_16(data: bytes, bits: Bits) -> bytes:
    return data.decode("utf-8").encode("utf-16")


def latin_1(data: bytes, bits: Bits) -> bytes:
    at = bits.integers(len(data))
    return data[:at] + "é".encode("latin-1") + data[at + 1 :]


def drop_field(data: bytes, bits: Bits) -> bytes:
    """One field of a line, by whatever separates fields there; in XML an attribute."""
    lines = data.split(b"\n")
    i = bits.integers(len(lines))
    separator = next((s for s in (b"\t", b"|", b" ") if s in lines[i].strip()), b" ")
    fields = lines[i].split(separator)
    del fields[bits.integers(len(fields))]
    lines[i] = separator.join(fields)
    return b"\n".join(lines)


def flip_byte(data: bytes, bits: Bits) -> bytes:
    at = bits.integers(len(data))
    return data[:at] + bytes([data[at] ^ int(bits.integers(1, 256))]) + data[at + 1 :]


def repeat_line(data: bytes, bits: Bits) -> bytes:
    lines = data.split(b"\n")
    i = bits.integers(len(lines))
    return b"\n".join([*lines[: i + 1], *lines[i:]])


def change_digit(data: bytes, bits: Bits) -> bytes:
    digits = [i for i, byte in enumerate(data) if chr(byte).isdigit()]
    if not digits:
        return data
    at = digits[bits.integers(len(digits))]
    return data[:at] + str(bits.integers(10)).encode() + data[at + 1 :]


def delete(data: bytes, bits: Bits) -> None:
    return None


MUTATIONS: tuple[Callable[[bytes, Bits], bytes | None], ...] = (
    cut,
    swap_lines,
    utf_16,
    latin_1,
    drop_field,
    flip_byte,
    repeat_line,
    change_digit,
    delete,
)


def held(name: str, fixture: str, seed: int, tmp_path: Path) -> bool:
    """Whether a mutant was read; that it was read whole or refused well is asserted."""
    bits = np.random.default_rng([seed, sorted(RELEASES).index(name), len(fixture)])
    raw, to = tmp_path / "raw", tmp_path / "to"
    for old in (raw, to):
        shutil.rmtree(old, ignore_errors=True)
    shutil.copytree(ASSETS / fixture, raw)
    files = sorted(path for path in raw.rglob("*") if path.is_file() and path.stat().st_size)
    file = files[bits.integers(len(files))]
    mutation = MUTATIONS[bits.integers(len(MUTATIONS))]
    mutated = mutation(file.read_bytes(), bits)
    if mutated is None:
        file.unlink()
    else:
        file.write_bytes(mutated)
    what = f"{mutation.__name__} of {file.relative_to(raw)} with seed {seed}"
    try:
        reading = RELEASES[name].read(raw, unwatched)
        write(RELEASES[name].card, reading.rows, to)
    except InputError as error:
        message = str(error)
        assert str(raw) in message, f"{what}: {message}"
        # a damaged text may first show where an annotation no longer fits it
        named = {file.stem, file.parent.name, *(path.stem for path in file.parent.parent.rglob("*"))}
        assert any(name in message for name in named) or f"{raw}: gives no example" in message, (
            f"{what}: {message}"
        )
        assert "\n" not in message, what
        assert not to.exists(), f"{what}: left {list(to.rglob('*'))}"
        return False
    except Exception as error:
        raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error
    assert prepared.read(to, name).name == name, what
    assert [path.name for path in to.iterdir()] == [name], what
    return True


def test_every_release_has_a_fixture():
    without = [name for name in RELEASES if name not in {name for name, _ in CASES}]
    assert not without, (
        f"no folder tests/assets/releases/<name> for {', '.join(without)}: "
        "a registered release needs a fixture of its format, with invented text"
    )


@pytest.mark.parametrize(("name", "fixture"), CASES)
def test_the_fixture_itself_is_read(name: str, fixture: str, tmp_path: Path):
    reading = RELEASES[name].read(ASSETS / fixture, unwatched)
    corpus = write(RELEASES[name].card, reading.rows, tmp_path)
    assert set(reading.gold) == {"train", "dev", "test"}
    assert all(reading.gold.values())
    assert corpus.train
    assert corpus.test


@pytest.mark.parametrize(("name", "fixture"), CASES)
def test_a_few_mutants(name: str, fixture: str, tmp_path: Path):
    # fewer than these may all have the same outcome by chance
    outcomes = {held(name, fixture, seed, tmp_path) for seed in range(12)}
    assert outcomes == {True, False}, "the mutations should be neither all harmless nor all fatal"


@pytest.mark.slow
@pytest.mark.parametrize(("name", "fixture"), CASES)
def test_many_mutants(name: str, fixture: str, tmp_path: Path):
    for seed in range(1000, 1000 + -(-2000 // len(CASES))):
        held(name, fixture, seed, tmp_path)
