"""Workers: two jobs with a thread each, or one job with two; and what a worker holds in memory.

The same jobs (a chemprot and bc5cdr-chemical pair, MiniLM-L6, batch 32, fp32) are run both ways, in turn,
each time in new processes; the table shows medians. Memory is a worker's peak over its whole jobs: data,
training, evaluation, the kept epochs.

    make bench-workers CORPORA=DIR     (python bench/workers.py --corpora DIR [--rounds 3] [--train 600])
"""

import argparse
import multiprocessing
import resource
import statistics
import tempfile
import time
from multiprocessing.queues import Queue
from pathlib import Path

from transfer import corpora, encoders
from transfer.corpora import Limit
from transfer.jobs import Encoder, Job, Trained
from transfer.recipes import Recipe

CORPORA = ("chemprot", "bc5cdr-chemical")
RECIPE = Recipe(lr=5e-5, epochs=1, batch_size=32)


def work(seeds: list[int], threads: int, where: str, limit: Limit, told: Queue) -> None:
    """One worker: a job for each seed; tells seconds of training and peak MiB."""
    import torch

    from transfer.learning.run import run
    from transfer.learning.worker_data import Site

    torch.set_num_threads(threads)
    files = encoders.locate("minilm-l6")
    loaded = corpora.load(where, CORPORA, limit=limit)
    with tempfile.TemporaryDirectory() as store:
        limits = {str(name): limit for name in CORPORA}
        site = Site(store=Path(store), corpora=where, limits=limits, encoder=files.folder)
        for seed in seeds:
            job = Job(
                stage="refine",
                corpora=tuple(Trained(name=c.name, fingerprint=c.fingerprint) for c in loaded),
                seed=seed,
                recipe=RECIPE,
                encoder=Encoder(name="minilm-l6"),
                encoder_fingerprint=files.fingerprint,
            )
            result = run(job, site)
            if result.status != "done":
                raise RuntimeError(result.error)
            seconds = sum(epoch.seconds for epoch in result.history)
            told.put((seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def timed(workers: int, threads: int, where: str, limit: Limit) -> tuple[float, float]:
    """Training seconds of two jobs as these workers share them, and the largest peak (MiB)."""
    context = multiprocessing.get_context("spawn")
    told: Queue = context.Queue()
    shares = [[0, 1]] if workers == 1 else [[0], [1]]
    processes = [context.Process(target=work, args=(s, threads, where, limit, told)) for s in shares]
    for process in processes:
        process.start()
    found = [told.get(timeout=1800) for _ in range(2)]
    for process in processes:
        process.join()
    return sum(seconds for seconds, _ in found) / workers, max(peak for _, peak in found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpora", required=True, help="the folder of prepared corpora")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--train", type=int, default=600, help="examples of each corpus; 0 for all")
    arguments = parser.parse_args()
    some = arguments.train or None
    limit = Limit(train=some, dev=some and 100, test=some and 100)
    rows: dict[tuple[int, int], list[tuple[float, float]]] = {(2, 1): [], (1, 2): []}
    began = time.perf_counter()
    for _ in range(arguments.rounds):
        for way, found in rows.items():
            found.append(timed(*way, arguments.corpora, limit))
    ratio = statistics.median(b[0] / a[0] for a, b in zip(rows[2, 1], rows[1, 2], strict=True))
    print("| workers x threads | seconds for two jobs | peak MiB of a worker |\n|---|---:|---:|")
    for (workers, threads), found in rows.items():
        seconds, peak = statistics.median(s for s, _ in found), max(p for _, p in found)
        print(f"| {workers} x {threads} | {seconds:.1f} | {peak:.0f} |")
    print(f"1 x 2 takes {ratio:.2f} times as long as 2 x 1 ({time.perf_counter() - began:.0f} s in all)")


if __name__ == "__main__":
    main()
