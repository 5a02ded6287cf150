"""Random kills of driver, workers and raylets; after each the same command goes on.

    make faults            # 100 kills; KILLS=300 for more
    python bench/faults.py --adaptive --kills 30    # seeds that are added where an edge is undecided

A small grid (a random two-layer encoder, corpora made here, jobs of about a second, a checkpoint each epoch)
is run on Ray again and again. At random moments of each run random processes of it are killed with SIGKILL:
workers, the raylet, the driver. When all jobs are done the store is compared with that of a run that
nothing disturbed, and the grid begins anew in an empty store until there were enough kills.

What is held: the jobs are those of the undisturbed run, each there once; none ran to completion twice (a
journal, appended to by the fake that stands around each job's training, counts them); scores, chosen epochs
and the bytes of predictions.parquet and edges.csv are the undisturbed run's. Exit code 1 where one of them
does not hold.
"""

import argparse
import collections
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

KINDS = ("driver", "worker", "raylet")
SECONDS_FOR_A_RUN = 300

# one thread a job; every training that comes to its end is told of in the journal
DRIVER = """
import dataclasses, os, sys
os.cpu_count = lambda: 2
journal, *arguments = sys.argv[1:]
from ray import cloudpickle
from transfer.learning import run as learning
from transfer.scheduling import work


@dataclasses.dataclass(frozen=True)
class Told:
    journal: str

    def __call__(self, job, site, *, keep_encoder=False):
        from transfer.learning import run as learning

        if not hasattr(learning, "untold"):
            learning.untold = learning.RunningJob.finish

            def told(running, **options):
                result = learning.untold(running, **options)
                with open(self.journal, "a") as file:
                    file.write(result.id + chr(10))
                return result

            learning.RunningJob.finish = told
        return learning.run(job, site, keep_encoder=keep_encoder)


cloudpickle.register_pickle_by_value(sys.modules["__main__"])
work.Work.run = Told(journal)
work.Work.__init__.__defaults__ = tuple(
    Told(journal) if each is work.run else each for each in work.Work.__init__.__defaults__
)
from transfer.cli import main
main(arguments)
"""


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--kills", type=int, default=100)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--workers", type=int, default=2)
    asked.add_argument("--adaptive", action="store_true", help="a grid with adaptive seeds")
    options = asked.parse_args()
    rng = random.Random(options.seed)
    kills: collections.Counter[str] = collections.Counter()
    began, rounds, jobs, faults = time.monotonic(), 0, 0, []
    with tempfile.TemporaryDirectory(prefix="transfer-faults-") as name:
        folder = Path(name)
        grid = made(folder, adaptive=options.adaptive)
        undisturbed = folder / "undisturbed"
        if started(grid, undisturbed, options.workers).wait() != 0:
            sys.exit(f"the undisturbed run failed:\n{(undisturbed / 'log').read_text()}")
        while sum(kills.values()) < options.kills:
            rounds += 1
            home = folder / f"round-{rounds}"
            while not ended(grid, home, options, rng, kills):
                pass
            found = compared(home, undisturbed)
            jobs += len(results(home))
            faults += [f"round {rounds}: {fault}" for fault in found]
            print("\n".join(faults[len(faults) - len(found) :]), end="\n" if found else "")
            told = ", ".join(f"{kills[kind]} {kind}" for kind in KINDS)
            print(f"round {rounds}: {sum(kills.values())} kills ({told}), {len(faults)} faults", flush=True)
    minutes = (time.monotonic() - began) / 60
    print(f"{sum(kills.values())} kills in {rounds} rounds of a grid, {jobs} jobs, {minutes:.0f} minutes")
    print(
        "\n".join(faults) or "each job once, none completed twice, all results those of the undisturbed run"
    )
    sys.exit(bool(faults))


def made(folder: Path, *, adaptive: bool) -> Path:
    """The grid's file, with its encoder and corpora."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from tests import conftest as tiny

    corpora = folder / "corpora"
    for kind, card in tiny.CARDS.items():
        rows = {
            split: tiny._rows(kind, split, n) for split, n in {"train": 48, "dev": 12, "test": 12}.items()
        }
        tiny.write_corpus(corpora, card, rows)
    grid = {
        "name": "faults",
        "corpora": str(corpora),
        "tasks": ["sim", "rel", "ner"],
        "encoder": str(tiny.write_encoder(folder / "encoder")),
        "recipe": {
            "base": "quick",
            "epochs": 12,
            "batch_size": 4,
            "lr": 0.001,
            "fine_tune": {"lr": 0.001, "epochs": 6},
        },
        "jobs": ["single", "pairs", "all"],
        "stages": ["refine"] if adaptive else ["refine", "fine-tune"],
        "seeds": {"first": 3, "most": 7} if adaptive else 2,
    }
    path = folder / "faults.yaml"
    path.write_text(json.dumps(grid))
    return path


def started(grid: Path, home: Path, workers: int) -> subprocess.Popen[bytes]:
    home.mkdir(exist_ok=True)
    log = home / "log"
    if log.exists():
        log.rename(home / f"log-{len(list(home.glob('log*')))}")
    options = [
        "--store",
        home / "runs",
        "--out",
        home / "reports",
        "--workers",
        workers,
        "--checkpoint-seconds",
        0,
    ]
    arguments = [home / "journal", "run-grid", grid, *options]
    with log.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-c", DRIVER, *map(str, arguments)],
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def ended(
    grid: Path,
    home: Path,
    options: argparse.Namespace,
    rng: random.Random,
    kills: collections.Counter[str],
) -> bool:
    """Runs the command once, with kills at random moments; whether all its jobs are done."""
    process = started(grid, home, options.workers)
    everyone: set[int] = set()
    # Ray needs some seconds to start; moments are counted from the first claim on a job
    began = time.monotonic()
    claims = home / "runs" / "claims"
    while process.poll() is None and not any(not c.name.startswith("run.") for c in claims.glob("*.json")):
        time.sleep(0.02)
        if time.monotonic() - began > SECONDS_FOR_A_RUN:
            sys.exit(f"nothing began:\n{(home / 'log').read_text()}")
    kind = ""
    while process.poll() is None and kind != "driver" and sum(kills.values()) < options.kills:
        time.sleep(rng.uniform(0, 4))
        everyone |= family(process.pid)
        kind = rng.choices(KINDS, weights=(1, 4, 1))[0]
        if process.poll() is None and (victims := of_kind(kind, process.pid, everyone)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(rng.choice(victims), signal.SIGKILL)
                kills[kind] += 1
    try:
        code = process.wait(SECONDS_FOR_A_RUN)
    except subprocess.TimeoutExpired:
        sys.exit(f"hangs after a kill, the last of a {kind}:\n{(home / 'log').read_text()[-3000:]}")
    finally:
        # what a killed driver leaves ends by itself within a minute; the next round should not wait
        for pid in everyone & living():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    return code == 0


def family(pid: int) -> set[int]:
    """A process and all that descend from it."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return {pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))}
    return {pid}


def living() -> set[int]:
    """Every process but those that only wait to be taken note of."""
    return {p.pid for p in psutil.process_iter(["status"]) if p.info["status"] != psutil.STATUS_ZOMBIE}


def of_kind(kind: str, driver: int, everyone: set[int]) -> list[int]:
    if kind == "driver":
        return [driver]
    found = []
    for pid in sorted(everyone - {driver}):
        with contextlib.suppress(OSError):
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            if kind == "raylet" and "raylet/raylet" in command.partition(" ")[0]:
                found.append(pid)
            if kind == "worker" and command.startswith("ray::") and "Trainable" in command:
                found.append(pid)
    return found


def results(home: Path) -> dict[str, dict]:
    return {p.parent.name: json.loads(p.read_text()) for p in home.glob("runs/jobs/*/result.json")}


def compared(home: Path, undisturbed: Path) -> list[str]:
    """Faults of a store, in words."""
    found, one, two = [], results(home), results(undisturbed)
    if one.keys() != two.keys():
        found.append(f"{len(one)} jobs instead of {len(two)}")
    for id_, times in collections.Counter((home / "journal").read_text().split()).items():
        if times != 1:
            found.append(f"job {id_} ran to completion {times} times")
    for id_ in one.keys() & two.keys():
        for key in ("status", "scores", "chosen_epoch", "steps"):
            if one[id_][key] != two[id_][key]:
                found.append(f"job {id_}: another {key}")
        losses = [[{**e, "seconds": 0} for e in each[id_]["history"]] for each in (one, two)]
        if losses[0] != losses[1]:
            found.append(f"job {id_}: another history")
        name = f"runs/jobs/{id_}/predictions.parquet"
        if (home / name).read_bytes() != (undisturbed / name).read_bytes():
            found.append(f"job {id_}: other predictions")
    edges = "reports/faults/edges.csv"
    if (home / edges).read_bytes() != (undisturbed / edges).read_bytes():
        found.append("other edges")
    for folder in ("claims", "checkpoints"):  # drafts that were killed are swept after a day
        left = [p.name for p in (home / "runs" / folder).glob("*")]
        if left:
            found.append(f"{folder} holds {left}")
    return found


if __name__ == "__main__":
    main()
