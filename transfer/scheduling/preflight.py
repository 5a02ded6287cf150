"""What a machine must have before jobs are sent to it: looked at on each machine, told in one message."""

import platform
from collections.abc import Mapping

import transfer
from transfer import corpora, encoders
from transfer.inputs import InputError
from transfer.jobs import Job
from transfer.learning.worker_data import Site
from transfer.store import Store


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
        if encoders.locate(str(site.encoder)).fingerprint != job.encoder_fingerprint:
            found.append(f"has another encoder in {site.encoder}")
    except (InputError, OSError):
        found.append(f"does not see the encoder {site.encoder}")
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
