"""Mutated grids, cards, corpora and command lines: a run or one message, never a traceback, never a hang."""

import contextlib
import json
import os
import random
import re
import shutil
import signal
import string
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from transfer import encoders, experiment
from transfer.cli import running
from transfer.inputs import NotThere

QUICK, MANY = 250, 5000
SECONDS = 20  # what a case may take before it counts as hanging

# values that a person, an editor or an export may put where another is expected
ODD = [
    None, True, False, 0, -1, 1, 2, 10**30, 1e400, -0.0, float("nan"), 0.5, "", " ", "\n", "a", "rel", "sim",
    "ner", "multi", "null", "~", "1", "1e3", "é", "😀", "\u2028", "a" * 300, "..", "../x", "/", "/etc/passwd", "a/b",
    "a\x00b", "CON", "-", "--set", ".hidden", "%s", "{}", "${HOME}", [], [[]], [None], ["rel", "rel"], {}, {"a": 1},
    {"base": None}, {"name": 3}, {"first": 3, "most": 4}, [0, 1], [0, 0], [1.5], "paper", "quick", "single", "pairs",
    "all", ["pairs"], ["refine"], ["fine-tune"], ["refine", "fine-tune"], [["rel"]], [["rel", "nothing"]], "micro_f1",
    "tagging", "similarity", [5, 0], ["x"], ["x", "x"], "2026-11-24", 20261124, [[["a"]]],
]  # fmt: skip
SNIPPETS = [
    "!!python/object/apply:os.system [id]", "!!binary aGVsbG8=", "!!set {a, b}", "&a [*a]", "*nothing", "<<: {a: 1}",
    "? [a, b]\n: c\n", "a: &x {b: *x}\n", "\t", "- ", ": ", "{", "}", "[", "]", "'", '"', "#", "|\n", ">\n", "%YAML 9.9\n",
    "---\n", "...\n", "\x00", "\x07", "\ufeff", "\u2028", "2026-11-24", "2026-99-99", "1_000", "0o7", "0x1F", ".nan", "=",
    "!!int x", "!!timestamp 2026-13-45", "[" * 500, "{a: " * 400, "1e999", "12:30:45", "~", "no", "!", "@", "`",
]  # fmt: skip


class Hang(BaseException):
    """A case took longer than SECONDS."""


@dataclass
class Bench:
    """A folder with a valid grid and corpora to spoil, and the command to try on them."""

    folder: Path
    call: Callable[..., tuple[int, str, str]]
    clean: Path

    @property
    def grid(self) -> Path:
        return self.folder / "tiny.yaml"

    def fresh(self) -> None:
        for path in (self.folder / "corpora", self.folder / "runs", self.folder / "reports"):
            shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(self.clean / "corpora", self.folder / "corpora")
        shutil.copy(self.clean / "tiny.yaml", self.grid)


@pytest.fixture
def bench(
    tmp_path: Path, transfer, tiny_corpora: Path, tiny_encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> Bench:
    clean = tmp_path / "clean"
    shutil.copytree(tiny_corpora, clean / "corpora")
    grid = {
        "name": "tiny",
        "corpora": "corpora",
        "tasks": ["sim", "rel", "ner", "multi"],
        "encoder": {"name": str(tiny_encoder), "layers": 2},
        "recipe": {"base": "quick", "epochs": 2, "batch_size": 8, "lr": 0.003},
        "jobs": ["single", "pairs", ["sim", "rel"]],
        "stages": ["refine"],
        "seeds": 2,
        "limit": {"train": 20},
        "controls": ["null"],
    }
    (clean / "tiny.yaml").write_text(yaml.safe_dump(grid, sort_keys=False))
    for home in (clean / "corpora").iterdir():  # as people write cards, not as JSON
        card = home / "corpus.yaml"
        card.write_text(yaml.safe_dump(json.loads(card.read_text()), sort_keys=False))

    def no_network(hub_id: str, files: Sequence[str]) -> Path:
        raise NotThere(f"the encoder '{hub_id}' is no folder here and the network is off in this test")

    # what is tried is the reading of input: nothing is trained, drawn or downloaded
    monkeypatch.setattr(encoders, "_from_hub", no_network)
    monkeypatch.setattr(experiment._Run, "run", lambda *_, **__: None)
    monkeypatch.setattr(running, "report_and_show", lambda *_, **__: None)
    monkeypatch.chdir(tmp_path)
    return Bench(tmp_path, transfer, clean)


@contextlib.contextmanager
def alarm(seconds: float) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def tried(bench: Bench, what: str, *arguments: object, place: str = "") -> int:
    """Runs a command on what was spoiled; asserts that it ran, or that one message names the place."""
    try:
        with alarm(SECONDS):
            code, out, err = bench.call(*arguments)
    except Hang:
        raise AssertionError(f"{what}: hangs") from None
    except Exception as error:
        raise AssertionError(f"{what}: {type(error).__name__}: {error}") from error
    assert code in (0, 2), f"{what}: exit {code}: {err}"
    assert "Traceback" not in err, what
    if code == 2:
        told = re.sub(r"^note: 'transfer \w+' is now .*\n", "", err) or "\n".join(
            line for line in out.splitlines() if line.startswith("error: ")
        )
        usage = told.startswith(("Usage:", "Error: "))  # typer's own ways to say that a command line is wrong
        assert usage or told.startswith("error: "), f"{what}: {out} {err}"
        assert usage or not err or len(err.strip().splitlines()) == 1, f"{what}: {err}"
        assert usage or len(err) < 1200, f"{what}: a message of {len(err)} characters"
        assert place in told, f"{what}: does not name {place}: {told}"
        assert not (bench.folder / "runs").exists(), f"{what}: refused, but wrote"
    return code


def spoiled_text(text: str, rng: random.Random) -> bytes:
    """A text after one to three slips of an editor, a merge, an export or a disk."""
    for _ in range(rng.choice([1, 1, 2, 3])):
        lines = text.split("\n")
        i, at = rng.randrange(len(lines)), rng.randrange(len(text) + 1)
        match rng.randrange(12):
            case 0:
                del lines[i]
            case 1:
                lines.insert(i, rng.choice(lines))
            case 2:
                j = rng.randrange(len(lines))
                lines[i], lines[j] = lines[j], lines[i]
            case 3:
                lines[i] = " " * rng.randrange(1, 4) + lines[i]
            case 4:
                lines[i] = lines[i].lstrip()
            case 5:
                lines = (text[:at] + rng.choice(SNIPPETS) + text[at:]).split("\n")
            case 6:
                lines = text[:at].split("\n")
            case 7:
                lines[i] = lines[i].partition(":")[0] + ": " + rng.choice(SNIPPETS)
            case 8:
                words = lines[i].split(" ")
                rng.shuffle(words)
                lines[i] = " ".join(words)
            case 9:
                lines = (text[:at] + rng.choice(string.printable) + text[at + 1 :]).split("\n")
            case 10:
                lines[i] = lines[i].replace(":", rng.choice(["", "=", "::", " :", ":\t"]))
            case 11:
                lines[i] = lines[i] + rng.choice(["\r", " ", " #", ",", ";", "\x85"])
        text = "\n".join(lines) or " "
    data = text.encode("utf-8", "surrogatepass")
    if rng.random() < 0.1:
        at = rng.randrange(len(data))
        data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    if rng.random() < 0.03:
        data = text.encode("utf-16")
    return data


def spoiled_value(value: object, rng: random.Random) -> object:
    """A mapping or list in which one value, key or item is another, is gone, or is there twice."""
    if isinstance(value, dict) and value and rng.random() < 0.75:
        key = rng.choice(list(value))
        changed = dict(value)
        match rng.randrange(5):
            case 0:
                del changed[key]
            case 1:
                changed[rng.choice([key + "s", key[:-1], key.upper(), "", 3, "a.b", "name"])] = changed.pop(
                    key
                )
            case _:
                changed[key] = spoiled_value(value[key], rng)
        return changed
    if isinstance(value, list) and value and rng.random() < 0.6:
        i = rng.randrange(len(value))
        return [*value[:i], spoiled_value(value[i], rng), *value[i + rng.randrange(2) :]]
    return rng.choice(ODD)


def dumped(value: object, rng: random.Random) -> bytes:
    flow = rng.choice([None, True, False])
    return yaml.safe_dump(value, sort_keys=False, default_flow_style=flow, allow_unicode=True).encode(
        "utf-8", "surrogatepass"
    )


def a_grid(bench: Bench, rng: random.Random, what: str) -> int:
    text = bench.grid.read_text()
    if rng.random() < 0.5:
        bench.grid.write_bytes(spoiled_text(text, rng))
    else:
        bench.grid.write_bytes(dumped(spoiled_value(yaml.safe_load(text), rng), rng))
    command = rng.choice(["plan", "run-grid"])
    return tried(bench, what, command, bench.grid, "--store", bench.folder / "runs", place=str(bench.grid))


def a_card(bench: Bench, rng: random.Random, what: str) -> int:
    home = bench.folder / "corpora" / rng.choice(["sim", "rel", "ner", "multi"])
    card = home / "corpus.yaml"
    if rng.random() < 0.5:
        card.write_bytes(spoiled_text(card.read_text(), rng))
    else:
        card.write_bytes(dumped(spoiled_value(yaml.safe_load(card.read_text()), rng), rng))
    if rng.random() < 0.3:
        return tried(bench, what, "corpora", rng.choice(["list", "stats"]), bench.folder / "corpora")
    return tried(bench, what, "plan", bench.grid, "--store", bench.folder / "runs", place=str(home))


def spoiled_row(line: str, rng: random.Random) -> str:
    if rng.random() < 0.3:
        return spoiled_text(line, rng).decode("utf-8", "replace")
    spoiled = spoiled_value(json.loads(line), rng)
    return json.dumps(spoiled, ensure_ascii=rng.random() < 0.5, default=str)


def a_corpus(bench: Bench, rng: random.Random, what: str) -> int:
    home = bench.folder / "corpora" / rng.choice(["sim", "rel", "ner", "multi"])
    file = home / f"{rng.choice(['train', 'dev', 'test'])}.jsonl"
    lines = file.read_text().splitlines()
    i = rng.randrange(len(lines))
    match rng.randrange(8):
        case 0:
            file.write_bytes(spoiled_text(file.read_text(), rng))
        case 1:
            file.unlink()
            rng.choice(
                [file.mkdir, file.touch, lambda: file.symlink_to(file), lambda: os.mkfifo(file), lambda: None]
            )()
        case 2:
            file.write_text("\n".join(lines[: rng.randrange(3)]))
        case 3:
            file.write_text(rng.choice(SNIPPETS) * rng.randrange(1, 50))
        case 4:
            file.write_text(json.dumps([json.loads(line) for line in lines]))  # one array, as many export it
        case _:
            lines[i] = spoiled_row(lines[i], rng)
            file.write_text("\n".join(lines), encoding="utf-8", errors="surrogatepass")
    if rng.random() < 0.3:
        return tried(bench, what, "corpora", rng.choice(["check", "stats"]), bench.folder / "corpora")
    return tried(bench, what, "plan", bench.grid, "--store", bench.folder / "runs", place=str(home))


COMMANDS = [
    ["plan", "tiny.yaml"],
    ["plan", "tiny.yaml", "--set", "seeds=3", "--corpora", "corpora", "--store", "runs"],
    ["run-grid", "tiny.yaml", "--workers", "2", "--gpus-per-job", "0.5", "--out", "reports", "--store", "runs"],
    ["run-grid", "tiny.yaml", "--executor", "inline", "--set", "recipe.epochs=3", "--set", "name=other"],
    ["run-grid", "tiny.yaml", "--address", "auto", "--debug"],
    ["status", "tiny.yaml", "--store", "runs"],
    ["report", "tiny.yaml", "--store", "runs", "--out", "reports"],
    ["corpora", "planted", "tiny.yaml", "--store", "runs"],
    ["corpora", "list", "corpora"],
    ["corpora", "check", "corpora", "--corpus", "rel"],
    ["corpora", "stats", "corpora", "--csv", "table.csv", "--markdown"],
    ["corpora", "prepare", "own", "--kind", "classification", "--from", "corpora/rel/train.jsonl", "--name", "made", "--text",
     "text", "--label", "label", "--to", "made"],
    ["corpora", "prepare", "chemprot", "--raw", "corpora", "--to", "made"],
    ["--version"],
    ["--help"],
]  # fmt: skip
WORDS = [
    "", " ", "-", "--", "---", "-h", "--help", "--debug", "--set", "--set=", "seeds", "seeds=", "=3", "seeds=0", "seeds=-1",
    "seeds=[", "recipe=", "recipe.lr=nan", "recipe.lr.x=1", "encoder.layers=99", "a.b.c=1", "tasks=rel", "tasks=[rel]",
    "jobs=[pair]", "name=../x", "name=/x", "limit.train=0", "..", "/", "/dev/null", "/proc/self/mem", "tiny.yaml", "corpora",
    "corpora/rel/train.jsonl", "no/such", "é", "\udcff", "a" * 5000, "0", "-1", "1e9", "nan", "inf", "99999999999999999999",
    "--workers", "--gpus-per-job", "--no-such-option", "--stor", "runs", "rel", "tagging", "--executor", "slurm", "\n", "*", "~",
]  # fmt: skip


def a_command(bench: Bench, rng: random.Random, what: str) -> int:
    arguments = list(rng.choice(COMMANDS))
    for _ in range(rng.choice([1, 1, 2, 3])):
        i = rng.randrange(len(arguments) + 1)
        match rng.randrange(5):
            case 0 if i < len(arguments):
                del arguments[i]
            case 1:
                arguments.insert(i, rng.choice(WORDS))
            case 2 if i < len(arguments):
                arguments[i] = rng.choice(WORDS)
            case 3 if i < len(arguments):
                arguments.insert(i, arguments[i])
            case _:
                rng.shuffle(arguments)
    if "--debug" in arguments:  # asks for a traceback
        arguments = [a for a in arguments if a != "--debug"]
    for left in ("made", "runs", "table.csv"):
        shutil.rmtree(bench.folder / left, ignore_errors=True)
    return tried(bench, f"{what}: {' '.join(map(repr, arguments))}", *arguments)


KINDS = [a_grid, a_card, a_corpus, a_command]


def try_many(bench: Bench, seeds: range) -> None:
    outcomes = {kind.__name__: [0, 0] for kind in KINDS}
    wrong = []
    for seed in seeds:
        rng = random.Random(seed)
        kind = KINDS[seed % len(KINDS)]
        bench.fresh()
        try:
            code = kind(bench, rng, f"{kind.__name__} with seed {seed}")
        except AssertionError as error:
            wrong.append(str(error))
        else:
            outcomes[kind.__name__][code == 2] += 1
    print({kind: f"{ran} ran, {refused} refused" for kind, (ran, refused) in outcomes.items()})
    assert not wrong, f"{len(wrong)} of {len(seeds)}:\n" + "\n".join(wrong)
    assert all(min(counts) > 0 for counts in outcomes.values()), f"neither harmless nor fatal: {outcomes}"


def test_a_few_mutations(bench: Bench):
    try_many(bench, range(QUICK))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_mutations(bench: Bench):
    try_many(bench, range(100_000, 100_000 + MANY))
