"""Expansion of a grid into its jobs, parents first."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from transfer.grid import Grid
from transfer.jobs import NULL_SEEDS, Job, Trained
from transfer.methods import Distil


def jobs_of(
    grid: Grid,
    fingerprints: Mapping[str, str],
    *,
    encoder_fingerprint: str,
    train_items: Mapping[str, int] | None = None,
    shared: Collection[tuple[str, str]] = (),
) -> tuple[Job, ...]:
    """The jobs of a grid, parents first. ``fingerprints`` holds those of the corpora by name.

    For the controls: ``train_items``, how many train examples each corpus has (same-steps), and
    ``shared``, which (partner, target) share text of partner's train and target's test (left-out).
    """
    expansion = _Expansion(grid, fingerprints, encoder_fingerprint)
    return tuple(expansion.jobs(train_items or {}, frozenset(shared)))


@dataclass(frozen=True)
class _Expansion:
    """A grid with the fingerprints of its corpora, by name, and of its encoder."""

    grid: Grid
    fingerprints: Mapping[str, str]
    encoder_fingerprint: str

    def jobs(self, train_items: Mapping[str, int], shared: Collection[tuple[str, str]]) -> Iterator[Job]:
        """Refinement and fine-tuning of every group, then further single-task runs, then controls."""
        taught = isinstance(self.grid.recipe.share, Distil)
        for seed in self.grid.seed_numbers:
            groups = self.grid.groups()
            if taught:  # a teacher is needed whether or not its scores are asked for
                groups = (*groups, *((name,) for name in sorted({n for g in groups for n in g})))
                groups = tuple(sorted(set(groups), key=lambda g: (len(g), g)))
            for group in groups:
                parent = self._refinement(group, seed)
                yield parent
                if "fine-tune" in self.grid.stages:
                    recipe = self.grid.recipe.of_stage_3
                    for one in parent.corpora:
                        child = {"stage": "fine-tune", "corpora": (one,), "recipe": recipe, "parent": parent}
                        yield parent.model_copy(update=child | {"teachers": ()})
        yield from self._further_singles()
        yield from self._controls(train_items, shared)

    def _further_singles(self) -> Iterator[Job]:
        """The single-task runs of seeds that the larger groups do not have (`single_seeds`).

        They estimate the score that gains are measured from; a corpus that shares no group has no gain.
        """
        groups = self.grid.groups()
        shared = {name for group in groups if len(group) > 1 for name in group}
        for seed in self.grid.single_seeds_at()[len(self.grid.seed_numbers) :]:
            for group in groups:
                if len(group) == 1 and group[0] in shared:
                    yield self._refinement(group, seed)

    def _refinement(self, group: Sequence[str], seed: int, **control: Any) -> Job:
        recipe = self.grid.recipe.of(group).model_copy(update={"fine_tune": None})
        taught = isinstance(recipe.share, Distil)
        return Job(
            stage="refine",
            corpora=tuple(Trained(name=n, fingerprint=self.fingerprints[n]) for n in group),
            seed=seed,
            recipe=recipe,
            encoder=self.grid.encoder,
            encoder_fingerprint=self.encoder_fingerprint,
            trainer=None if self.grid.trainer == "bert" else self.grid.trainer,
            teachers=tuple(self._refinement((n,), seed) for n in sorted(group)) if taught else (),
            **control,
        )

    def _controls(self, train_items: Mapping[str, int], shared: Collection[tuple[str, str]]) -> Iterator[Job]:
        """The controls' jobs, in the seeds that every job has."""
        grid = self.grid
        pairs = [group for group in grid.groups() if len(group) == 2]
        edges = sorted(edge for pair in pairs for edge in itertools.permutations(pair))
        for seed in grid.first_seeds if "null" in grid.controls else ():
            for task in grid.tasks:
                yield self._refinement((task,), NULL_SEEDS + seed)
        for seed in grid.first_seeds if grid.tune else ():
            for task in grid.tasks:
                for lr in grid.tune.lr if grid.tune else ():
                    if lr != grid.recipe.lr:
                        job = self._refinement((task,), seed)
                        recipe = job.recipe.model_copy(update={"lr": lr})
                        yield job.model_copy(update={"recipe": recipe, "tuned": True})
        # one job serves all partners of the same size
        longer = sorted({(target, train_items[source]) for source, target in edges if train_items})
        for seed in grid.first_seeds if "same-steps" in grid.controls else ():
            for target, extra in longer:
                yield self._refinement((target,), seed, extra_examples=extra)
        for seed in grid.first_seeds if "left-out" in grid.controls else ():
            for source, target in edges:
                if (source, target) in shared:
                    yield self._refinement((source, target), seed, left_out=target)
