"""Checks before jobs start: whether machines and encoder can run them, and what would make them quicker."""

import functools
import platform
import time
from collections.abc import Callable, Iterator, Mapping

import torch

import transfer
from transfer import corpora, encoders
from transfer.inputs import InputError
from transfer.jobs import Job
from transfer.learning import encoder, sharing
from transfer.learning.native import library
from transfer.learning.worker_data import Site
from transfer.planning import Expanded
from transfer.store import Store

SLOWER = 0.8  # speed of bf16 products beside fp32 ones, below which the CPU emulates them


def lacks(job: Job, site: Site, *, token: str, version: str) -> list[str]:
    """Requirements of a job that this machine lacks; empty if it has everything.

    ``token``: the name of a file that whoever started the run has just written into the store.
    """
    found = []
    if transfer.__version__ != version:
        found.append(f"has transfer {transfer.__version__}, not {version}")
    try:
        store = Store(site.store)
        if not store.files.exists(token):
            found.append(f"does not see the store {store.files.at('')}")
    except (InputError, OSError) as error:
        found.append(f"cannot reach the store ({error})")
    try:
        if job.trainer is None and encoders.locate(str(site.encoder)).fingerprint != job.encoder_fingerprint:
            found.append(f"has another encoder in {site.encoder}")
    except (InputError, OSError):
        found.append(f"does not see the encoder {site.encoder}")
    try:
        if job.trainer is not None and job.trainer.with_digests(site.home) != job.trainer:
            found.append(f"has other files of the trainer in {site.home}")
    except InputError:
        found.append(f"does not see the files of the trainer in {site.home}")
    for trained in job.corpora:
        try:
            corpus = corpora.load_one(site.corpora, trained.name, limit=site.limit_of(trained.name))
        except (InputError, OSError):
            found.append(f"does not see the corpus '{trained.name}' in {site.corpora}")
        else:
            if corpus.fingerprint != trained.fingerprint:
                found.append(f"has another '{trained.name}' in {site.corpora}")
    return found


def refusal(lacking: Mapping[str, list[str]], nodes: int) -> InputError:
    """One message of all that machines (by address) lack."""
    told = "; ".join(f"{node} {' and '.join(what)}" for node, what in lacking.items())
    return InputError(
        f"{len(lacking)} of the {nodes} nodes of the cluster cannot run these jobs: {told}. All of them need "
        f"this version of transfer on Python {platform.python_version()}, and store, corpora and encoder at "
        "the same path (or the store in a bucket); see docs/cluster.md"
    )


def loadable(expanded: Expanded, *, memory: float | None = None) -> None:
    """Raise InputError where a grid's encoder does not load, or tokenizer or way to share do not fit it.

    ``memory`` (bytes): what a job may have at most, where that is known. An external trainer has no encoder.
    """
    grid, file, files = expanded.grid, expanded.file, expanded.encoder
    if files is None:
        return
    with file.naming("encoder", errors=InputError):
        loaded = encoder.check(files.folder, layers=grid.encoder.layers, cased=files.cased)
    with file.naming("recipe", errors=InputError):
        most = max(map(len, grid.groups()))
        sharing.check(grid.recipe.share, loaded, corpora=most, memory=memory)


def slow(expanded: Expanded) -> Iterator[str]:
    """Notes on what makes training slow on this machine's CPU, and what would help."""
    if expanded.encoder is None:
        return
    precision = expanded.grid.recipe.precision
    if told := without_bf16(precision, instead="--set recipe.precision=fp32"):
        yield told
    family = encoders.FAMILIES[encoders.config_of(expanded.encoder.folder)["model_type"]]
    if precision == "fp32" and family.native:
        found, why = library.found()
        if found is None:
            yield (
                f"training steps are computed with {why}; with a C++ compiler (as Debian's g++) they would "
                "take about 20 % less time"
            )


def without_bf16(precision: str, *, instead: str) -> str | None:
    """Note on a ``precision`` that this CPU emulates; ``instead``: the option that avoids it."""
    if precision != "bf16" or bf16_gain() > SLOWER:
        return None
    return (
        "this processor has no bf16 arithmetic: matrix products in bf16 took "
        f"{1 / bf16_gain():.1f} times as long as in fp32 just now; {instead} is quicker on it"
    )


@functools.cache
def bf16_gain() -> float:
    """Speed of matrix products in bf16 relative to fp32 on this CPU; 0.2 was seen on one without bf16."""
    took, threads = [], torch.get_num_threads()
    torch.set_num_threads(1)  # several wait for one another, and waiting looks like work
    for dtype in (torch.float32, torch.bfloat16):
        a = torch.ones(512, 512, dtype=dtype)
        took.append(min(_timed(lambda a=a: torch.mm(a, a)) for _ in range(5)))
    torch.set_num_threads(threads)
    return took[0] / took[1]


def _timed(work: Callable[[], object]) -> float:
    """Seconds that the cores worked, so that other programs beside it do not count."""
    began = time.process_time()
    work()
    return time.process_time() - began
