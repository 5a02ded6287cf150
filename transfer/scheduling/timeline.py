"""Utilization of the workers, from the times in results."""

from collections.abc import Iterable

from transfer.records import JobResult


def busy(results: Iterable[JobResult], *, workers: int) -> float:
    """The share of the workers' time that jobs ran, from when all had their first job to the last end.

    In that time, jobs' seconds / (workers x wall); 1 where no worker ever waited. NaN where fewer than
    ``workers`` jobs ever ran at once, or a result is of an older version and says no time.
    """
    spans = sorted((r.ended - r.seconds, r.ended) for r in results if r.ended is not None)
    first = _all_at_work(spans, workers)
    if first is None:
        return float("nan")
    last = max(end for _, end in spans)
    worked = sum(max(0.0, end - max(start, first)) for start, end in spans)
    return worked / (workers * (last - first))


def _all_at_work(spans: list[tuple[float, float]], workers: int) -> float | None:
    """When as many jobs ran at once as there are workers, for the first time. ``spans`` are sorted."""
    for place, (now, _) in enumerate(spans):
        if sum(end > now for _, end in spans[: place + 1]) >= workers:
            return now
    return None
