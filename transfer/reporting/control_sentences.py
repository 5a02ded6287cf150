"""Sentences on controls: what each one is, and which claims stand beside it."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

import pandas as pd

from transfer.analysis.controls import REDUCED, STANDS, UNDECIDED, tuned_arms
from transfer.analysis.graph import CLAIMS
from transfer.analysis.study import Study
from transfer.analysis.tables import points
from transfer.jobs import TUNED
from transfer.reporting.sentences import held, named, sentence, tally


class Control(NamedTuple):
    """A control in words: its name, its purpose and outcome, and a line per edge."""

    title: str
    text: str
    lines: tuple[str, ...]


def control(found: Study, name: str) -> Control:
    """One of `found.controls` in words."""
    return _CONTROLS[name](found, found.controls[name])


def _null(found: Study, null: pd.DataFrame) -> Control:
    """The null control: the rate of false claims, with its exact (Clopper-Pearson) 95 % interval."""
    from scipy.stats import binomtest  # slow to import, needed only here

    text = (
        "Each corpus trained alone, against itself trained alone with other seeds: there is nothing to find, "
        "and whatever is claimed here is a false claim. "
    )
    if null.empty:
        return Control("Null control", f"{text}No corpus has both arms yet.", ())
    claims = int(null["verdict"].isin(CLAIMS).sum())
    interval = binomtest(claims, len(null)).proportion_ci(0.95)
    rate = (
        f"Claimed: {claims} of {len(null)} ({100 * claims / len(null):.0f} %, 95 % "
        f"{100 * interval.low:.0f} to {100 * interval.high:.0f} %). "
    )
    claims, edges = found.dealt
    if edges > len(null):
        rate += (
            f"Dealt into two arms in other ways, too, the same runs give {claims} claims in {edges} edges "
            f"({100 * claims / edges:.1f} %); these share runs, so that rate has no interval. "
        )
    rate += "Gains in points."
    return Control("Null control", text + rate, ())


def _same_steps(found: Study, table: pd.DataFrame) -> Control:
    """Which claims are left beside a baseline that trains as long as the joint run."""
    text = (
        "Each target trained alone for as many steps as with the partner, its own mini-batches again in the "
        "place of the partner's. A claim is reduced if its gain is significantly larger than the gain over "
        "this control: longer training then explains part of it, or all. "
    )
    if table.empty:
        return Control("Same-steps control", f"{text}No edge has both arms yet.", ())
    told, lines = _standing(found.edges, "same_steps")
    return Control("Same-steps control", f"{text}{tally(table)} {told}".rstrip(), lines)


def _tuned(found: Study, table: pd.DataFrame) -> Control:
    """Which claims are left beside baselines whose learning rate was searched for."""
    text = (
        "Each target alone with the learning rate, of those that the grid names, that has the best mean dev "
        "score (the joint arm keeps the recipe's). "
    )
    if table.empty:
        return Control("Tuned control", f"{text}No edge has both arms yet.", ())
    chosen = "; ".join(
        f"{target} {arm.removeprefix(TUNED).replace('refine', 'as the recipe')} ({points(dev)} on dev)"
        for target, (arm, dev) in tuned_arms(found.results).items()
    )
    told, lines = _standing(found.edges, "tuned")
    return Control("Tuned control", f"{text}Chosen: {chosen}. {tally(table)} {told}".rstrip(), lines)


def _left_out(found: Study, table: pd.DataFrame) -> Control:
    """The left-out control: gains without the target's test text in the partner's train split."""
    text = (
        "The pair trained again without those of the partner's examples whose text stands in the target's "
        "test split. "
    )
    if table.empty:
        return Control(
            "Left-out control", f"{text}No edge has such text, or its jobs have no scores yet.", ()
        )
    both = found.edges[found.edges["gain_left_out"].notna()]
    told = f"{len(both)} of {len(found.edges)} edges have such text:"
    lines = named(both, lambda row: f"{sentence(row)}; without the text {held(row, 'left_out')}")
    return Control("Left-out control", text + told, lines)


def _standing(edges: pd.DataFrame, control: str) -> tuple[str, tuple[str, ...]]:
    """The number of claims that stand beside a control, and a line for each; see `controls.standing`."""
    both = edges[edges["verdict"].isin(CLAIMS) & (edges[f"standing_{control}"] != "")]
    if both.empty:
        return "", ()
    count = Counter(both[f"standing_{control}"])
    others = [f"{count[name]} {are}" for name, are in _NOT_STANDING.items() if count[name]]
    told = f"{count[STANDS]} of {len(both)} claims stand{''.join(f', {other}' for other in others)}:"
    return told, named(both, lambda row: f"{sentence(row)}; {_beside(row, control)}")


_NOT_STANDING = {REDUCED: "reduced by this control", UNDECIDED: "undecided"}


def _beside(edge: Mapping, control: str) -> str:
    """A claim's gain over a control, and the test of its difference from the gain."""
    low, high = (points(edge[f"difference_{end}_{control}"], sign=True) for end in ("ci_low", "ci_high"))
    interval = f"95% CI [{low}, {high}]" if low else "no interval"
    return (
        f"{held(edge, control)} over this control; difference "
        f"{points(edge[f'difference_{control}'], sign=True)}, {interval}: {edge[f'standing_{control}']}"
    )


_CONTROLS: Mapping[str, Callable[[Study, pd.DataFrame], Control]] = {
    "null": _null,
    "same-steps": _same_steps,
    "left-out": _left_out,
    "tuned": _tuned,
}
