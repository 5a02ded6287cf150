"""Parts: fixed, cost-balanced shares of a grid's jobs, for machines that share neither Ray nor a store."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transfer.inputs import InputError
from transfer.jobs import Job


@dataclass(frozen=True)
class Part:
    """One of several parts, counted from 1: ``2/8``."""

    number: int
    count: int

    @staticmethod
    def parse(text: str) -> "Part":
        """The part that a text names. Raises InputError if it names none."""
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise InputError(f"--part {text}: should be NUMBER/COUNT, from 1/8 to 8/8 for eight parts")
        return Part(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    def of(self, jobs: Sequence[Job], cost: Mapping[str, float]) -> tuple[Job, ...]:
        """The jobs of this part, in their order; ``cost`` is by job id.

        Every job is in exactly one part, together with its parents and children. The division depends on
        the jobs and their costs alone. The longest families are handed out first, each to the part that
        has least to do, so no part costs more than 4/3 of the best division (Graham 1969).
        """
        ids = [job.id for job in jobs]
        family = {id_: id_ for id_ in ids}

        def head(id_: str) -> str:
            while family[id_] != id_:
                id_ = family[id_]
            return id_

        for id_, job in zip(ids, jobs, strict=True):
            for parent in job.parents:
                if (known := parent.id) in family:
                    family[head(id_)] = head(known)
        totals: dict[str, float] = {}
        for id_ in ids:
            totals[head(id_)] = totals.get(head(id_), 0.0) + cost[id_]
        loads, part_of = [0.0] * self.count, {}
        for name in sorted(totals, key=lambda name: (-totals[name], name)):
            lightest = loads.index(min(loads))
            loads[lightest] += totals[name]
            part_of[name] = lightest + 1
        return tuple(job for id_, job in zip(ids, jobs, strict=True) if part_of[head(id_)] == self.number)
