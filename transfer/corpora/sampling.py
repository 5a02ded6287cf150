"""Stratified subsets of a split: fixed, or drawn anew for each seed."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from transfer.kinds import kind_of

if TYPE_CHECKING:
    from transfer.corpora.base import Example


def stratified_subset(
    examples: "Sequence[Example]", most: int, *, kind: str, draw: str = ""
) -> "tuple[Example, ...]":
    """Take ``most`` of the examples, stratified and in their old order.

    The hash of an example's id decides, so a subset does not depend on the machine or on the order of the
    rows. Without ``draw`` the subset is fixed, and a smaller one is mostly contained in a larger one. Each
    other ``draw`` names an independent sample, in which every example is equally likely.
    """
    strata: dict[str, list[int]] = {}
    for i in sorted(range(len(examples)), key=lambda i: (sha256(draw + examples[i].id), i)):
        strata.setdefault(kind_of(kind).stratum(examples[i].gold), []).append(i)
    sizes = {key: len(items) for key, items in strata.items()}
    take = _systematic(sizes, most, draw) if draw else _by_largest_remainder(sizes, most)
    kept = {i for key, items in strata.items() for i in items[: take[key]]}
    return tuple(e for i, e in enumerate(examples) if i in kept)


def _by_largest_remainder(sizes: Mapping[str, int], most: int) -> dict[str, int]:
    """Size of each stratum in the subset, by largest remainders."""
    count = sum(sizes.values())
    shares = {key: most * size / count for key, size in sizes.items()}
    take = {key: int(share) for key, share in shares.items()}
    by_remainder = sorted(shares, key=lambda key: (take[key] - shares[key], key))
    for key in by_remainder[: most - sum(take.values())]:
        take[key] += 1
    return take


def _systematic(sizes: Mapping[str, int], most: int, draw: str) -> dict[str, int]:
    """Size of each stratum in the sample: its share, rounded at random with that share as expectation.

    Systematic sampling of the remainders (Madow 1949). The largest remainders would exclude most strata of
    a single example from every draw, and a tagging corpus can consist of such strata.
    """
    count = sum(sizes.values())
    point = int(sha256(draw), 16) % count  # the sampled points are this one and every ``count`` behind it
    take, behind = {}, 0
    for key in sorted(sizes, key=lambda key: sha256(f"{draw}stratum {key}")):
        whole, remainder = divmod(most * sizes[key], count)
        points = (behind + remainder - point - 1) // count - (behind - point - 1) // count
        take[key], behind = whole + points, behind + remainder
    return take


def sha256(text: str) -> str:
    """SHA-256 of a text in hexadecimal digits."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()
