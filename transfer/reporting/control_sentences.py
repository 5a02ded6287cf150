"""Sentences on controls: the design of each, and the claims that stand against it."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

import pandas as pd

from transfer.analysis.controls import Standing, tuned_arms
from transfer.analysis.false_claims import false_claims
from transfer.analysis.study import Study
from transfer.analysis.tables import points
from transfer.analysis.verdicts import CLAIMS
from transfer.reporting.gain_tables import with_ci
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
    """The null control: the rate of false claims with its exact 95% CI."""
    text = (
        "Each corpus trained alone is compared with itself trained alone with other seeds. There is no "
        "effect to find, so every claim is a false one. "
    )
    if null.empty:
        return Control("Null control", f"{text}No corpus has both arms yet.", ())
    claims, low, high = false_claims(null)
    rate = (
        f"Claimed: {claims} of {len(null)} ({100 * claims / len(null):.0f} %, 95% CI "
        f"[{100 * low:.0f}, {100 * high:.0f}] %). "
    )
    claims, edges = found.dealt
    if edges > len(null):
        rate += (
            f"Other splits of the same runs into two arms included, there are {claims} claims in {edges} "
            f"edges ({100 * claims / edges:.1f} %). These edges share runs, so this rate has no interval. "
        )
    rate += "Gains in points."
    return Control("Null control", text + rate, ())


def _same_steps(found: Study, table: pd.DataFrame) -> Control:
    """The claims against a baseline that trains as long as the joint run."""
    text = (
        "Each target is trained alone for as many steps as with the partner, repeating its own mini-batches "
        "in place of the partner's. A claim is reduced if its gain is significantly larger than the gain "
        "over this control; longer training then explains the gain or part of it. "
    )
    if table.empty:
        return Control("Same-steps control", f"{text}No edge has both arms yet.", ())
    told, lines = _standing(found.edges, "same_steps")
    return Control("Same-steps control", f"{text}{tally(table)} {told}".rstrip(), lines)


def _tuned(found: Study, table: pd.DataFrame) -> Control:
    """The claims against baselines with a tuned learning rate."""
    text = (
        "Each target is trained alone with the learning rate that has the best mean dev score among those in "
        "the grid; the joint arm keeps the recipe's. "
    )
    if table.empty:
        return Control("Tuned control", f"{text}No edge has both arms yet.", ())
    chosen = "; ".join(
        f"{target} {f'{arm.setting:g}' if arm.control else 'as the recipe'} ({points(dev)} on dev)"
        for target, (arm, dev) in tuned_arms(found.results).items()
    )
    told, lines = _standing(found.edges, "tuned")
    return Control("Tuned control", f"{text}Chosen: {chosen}. {tally(table)} {told}".rstrip(), lines)


def _left_out(found: Study, table: pd.DataFrame) -> Control:
    """The left-out control: gains without the target's test text in the partner's train split."""
    text = (
        "The pair is trained again without the partner's examples whose text occurs in the target's test "
        "split. "
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
    told = f"{count[Standing.STANDS]} of {len(both)} claims stand{''.join(f', {other}' for other in others)}:"
    return told, named(both, lambda row: f"{sentence(row)}; {_beside(row, control)}")


_NOT_STANDING = {Standing.REDUCED: "reduced by this control", Standing.UNDECIDED: "undecided"}


def _beside(edge: Mapping, control: str) -> str:
    """A claim's gain over a control, and the test of its difference from the gain."""
    ends = (edge[f"difference_{end}_{control}"] for end in ("ci_low", "ci_high"))
    interval = with_ci(*ends, sign=True)
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
