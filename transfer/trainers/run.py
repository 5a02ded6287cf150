"""A worker's task: one job, by the trainer that it names."""

from transfer.jobs import Job
from transfer.learning import run as built_in
from transfer.learning.worker_data import Site
from transfer.records import JobResult
from transfer.trainers.run_external import perform


def run(job: Job, site: Site, *, keep_encoder: bool = False) -> JobResult:
    """Run a job with its trainer and store its result; a failure becomes a failed result.

    Raises Taken where another run has taken the job. Claims and failed results are the same for all trainers.
    """
    by = built_in.perform if job.trainer is None else perform
    return built_in.run(job, site, keep_encoder=keep_encoder, by=by)
