"""Command ``corpora planted``: a synthetic grid's graph beside what was planted."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from transfer.cli.grids import STORE, GridPath, Overrides, StoreDir
from transfer.cli.terminal import aligned, examples, say
from transfer.inputs import InputError

if TYPE_CHECKING:
    import pandas as pd

    from transfer.corpora.synthetic_plan import Studied

app = typer.Typer()


@app.command(epilog=examples("transfer corpora planted grids/clinical_pairs.yaml"))
def planted(
    grid: GridPath,
    store_dir: StoreDir = STORE,
    overrides: Overrides = None,
) -> None:
    """Compare a synthetic grid's graph with what was planted."""
    from transfer.analysis.planted import against_plan
    from transfer.analysis.study import Study
    from transfer.corpora.synthetic_plan import PLAN, STUDIED
    from transfer.planning import GridFile
    from transfer.store import Store

    store = Store(store_dir)
    record = GridFile(grid, None, overrides or ()).record(store)
    if record.source != "synthetic":
        raise InputError(
            f"{grid}: nothing was planted in real corpora; the grid should say corpora: synthetic"
        )
    table = against_plan(Study.of(store, record).edges, PLAN, tasks=record.grid.tasks)
    say("\n".join(aligned(shown(table, STUDIED))) + "\n")
    for line in counts(table):
        say(line)


def shown(table: "pd.DataFrame", studied: "Sequence[Studied]") -> list[dict[str, str]]:
    """The rows of ``against_plan`` as text, with what repeated studies found of an edge, if it is known."""
    known = {(s.source, s.target): s for s in studied}
    return [
        {
            "edge": f"{row['source']} → {row['target']}",
            "planted": row["planted"] or "nothing",
            "measured": row["measured"],
            "gain, points (95 % CI)": _gain(row["gain"], row["ci_low"], row["ci_high"]),
            "holds": row["holds"] or "-",
            "in repeated studies": _in_studies(known.get((row["source"], row["target"]))),
        }
        for row in table.to_dict("records")
    ]


def _gain(gain: float, low: float, high: float) -> str:
    interval = f"({100 * low:+.1f} to {100 * high:+.1f})" if low == low else "(no interval)"
    return f"{100 * gain:+.1f} {interval}" if gain == gain else "not measured"


def _in_studies(seen: "Studied | None") -> str:
    if seen is None:
        return "-"
    interval = f"{seen.gain:+.1f} ({seen.low:+.1f} to {seen.high:+.1f})"
    return f"{interval}, claimed in {seen.claimed} of {seen.studies}"


def counts(table: "pd.DataFrame") -> list[str]:
    """The number of planted edges that hold, and the claims about edges without a planted effect."""
    from transfer.analysis.verdicts import CLAIMS, Verdict

    lines = []
    for effect in (*CLAIMS, Verdict.NO_EFFECT):
        rows = table[table["planted"] == effect]
        if len(rows):
            count = {state: int((rows["holds"] == state).sum()) for state in ("yes", "open", "no")}
            lines.append(
                f"planted '{effect}': {count['yes']} of {len(rows)} found, "
                f"{count['open']} inconclusive, {count['no']} contradicted"
            )
    rest = table[table["planted"] == ""]
    claimed = rest[rest["measured"].isin(CLAIMS)]
    if len(rest):
        named = ", ".join(
            f"{row['source']} → {row['target']} {row['measured']}" for row in claimed.to_dict("records")
        )
        lines.append(
            f"nothing planted: {len(claimed)} of {len(rest)} claimed" + (f" ({named})" if named else "")
        )
    return lines
