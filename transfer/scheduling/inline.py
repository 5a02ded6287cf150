"""All jobs one after the other in this process; neither needs ray nor imports it."""

import time

import torch

from transfer.claims import Taken
from transfer.scheduling.work import LOOK, Work


def run_inline(work: Work, *, threads: int) -> None:
    """Empties the queue; ``threads`` for each job's arithmetic."""
    torch.set_num_threads(threads)
    while True:
        job = work.next()
        if job is None:
            if work.over:
                return
            time.sleep(LOOK)  # another run has what is left
            continue
        try:
            work.ended(job, work.run(job, work.site, keep_encoder=work.keeps_encoder(job)))
        except Taken:
            work.taken(job)
