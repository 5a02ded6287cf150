"""All jobs one after the other in this process; neither needs ray nor imports it."""

import torch

from transfer.scheduling.work import Work


def run_inline(work: Work, *, threads: int) -> None:
    """Empties the queue; ``threads`` for each job's arithmetic."""
    torch.set_num_threads(threads)
    while (job := work.next()) is not None:
        work.run(job, work.site, keep_encoder=work.keeps_encoder(job))
        work.ended(job)
