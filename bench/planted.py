"""Whether the planted graph is recovered: studies with fresh seeds of the synthetic corpora.

Each study is a grid of its own with adaptive seeds (3, up to 10 where an edge is undecided) from a seed
that no other study has: the planted pairs of the paper's clinical tasks, and their tasks alone.

    python bench/planted.py [--studies 20] [--skip 0] [--store DIR] [--precision bf16]

Run again, it goes on where it was; ``--skip 18`` leaves out the first 18, which another machine did. Edges
of the planted pairs that nothing was planned for are told of, too.
"""

import argparse
from collections import Counter
from pathlib import Path

import pandas as pd

from transfer import run_grid
from transfer.analysis.planted import against_plan
from transfer.corpora.synthetic_plan import PLAN
from transfer.grid import Grid

GRID = Path(__file__).parents[1] / "grids" / "clinical_pairs.yaml"
FIRST, MOST = 3, 10
APART = 100  # from one study's first seed to the next one's


def overrides_of(study: int, precision: str) -> list[str]:
    """Changes of a study to the grid; the committed report has the seeds from 0."""
    tasks = Grid.load(GRID).tasks
    planned = sorted(
        {tuple(sorted((p.source, p.target))) for p in PLAN if {p.source, p.target} <= set(tasks)}
    )
    groups = ", ".join(f"[{a}, {b}]" for a, b in planned)
    return [
        f"jobs=[single, {groups}]",
        f"seeds={{first: {FIRST}, most: {MOST}, start: {APART * (study + 1)}}}",
        f"recipe.precision={precision}",
    ]


def ran(study: int, overrides: list[str], store: Path) -> pd.DataFrame:
    """The edges of a study beside the plan, with the seeds that they took."""
    found = run_grid(GRID, store=store, out=store / "reports", overrides=overrides)
    edges = found.edges
    table = against_plan(edges, PLAN, tasks=found.tasks)
    return table.merge(edges[["source", "target", "seeds"]], on=["source", "target"]).assign(study=study)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--studies", type=int, default=20)
    parser.add_argument("--skip", type=int, default=0, help="the first so many of them are left out")
    parser.add_argument("--store", type=Path, default=Path("runs/planted"))
    parser.add_argument("--precision", default="fp32", choices=["fp32", "bf16"], help="of matrix products")
    chosen = parser.parse_args()
    tables = []
    for study in range(chosen.skip, chosen.studies):
        table = ran(study, overrides_of(study, chosen.precision), chosen.store)
        tables.append(table)
        for edge in table.sort_values(["planted", "source"], ascending=False).to_dict("records"):
            plan, gain = edge["planted"] or "nothing", 100 * edge["gain"]
            print(
                f"study {study:2}: {edge['source']} -> {edge['target']}: planted {plan}, "
                f"{edge['measured']} ({gain:+.1f}, {edge['seeds']} seeds)",
                flush=True,
            )
        _told(pd.concat(tables))


def _told(edges: pd.DataFrame) -> None:
    planted = edges[edges["planted"] != ""]
    for (source, target), rows in planted.groupby(["source", "target"]):
        count = Counter(rows["holds"])
        print(
            f"  {source} -> {target}: {count['yes']} found, {count['open']} open, {count['no']} contradicted"
        )
    found, signs = (planted["holds"] == "yes").sum(), {"improves": 1, "harms": -1, "no effect": 0}
    wrong = sum(
        signs.get(measured, 0) * signs[plan] < 0
        for measured, plan in zip(planted["measured"], planted["planted"], strict=True)
    )
    unplanned = edges[edges["planted"] == ""]
    print(
        f"  {edges['study'].nunique()} studies: {found} of {len(planted)} planted edges found "
        f"({100 * found / len(planted):.0f} %), {wrong} with the wrong sign; of {len(unplanned)} other edges "
        f"{unplanned['measured'].isin(['improves', 'harms']).sum()} claimed; "
        f"{edges['seeds'].mean():.1f} seeds an edge",
        flush=True,
    )


if __name__ == "__main__":
    main()
