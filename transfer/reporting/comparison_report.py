"""A comparison as a page to read: what differs, the answer, tables in points, cost."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from transfer.analysis.comparison import Comparison
from transfer.analysis.setup import DATA_OF
from transfer.analysis.tables import escaped, points, to_csv, to_markdown
from transfer.reporting import comparison_sentences as sentences
from transfer.reporting.captions import comparison_caption
from transfer.reporting.comparison_picture import ComparisonPicture, picture
from transfer.reporting.comparison_sentences import apart_by, gain
from transfer.reporting.folder import write_folder
from transfer.reporting.sentences import BANNER, SYNTHETIC

QUESTION = (
    "Does the graph change with the method? An edge *s → t* is the gain of *t* from joint training with *s* "
    "over single-task training. Each gain is compared with the gain under *{base}*."
)
DATA = "The corpora differ ({names}), so the data may explain a change instead of the method."
NO_SETTINGS = "A report's folder records only these settings; the store has all of them."
SAME_SETTINGS = "No recorded setting differs."
SCORES = "A method may change all scores and still leave the gains unchanged. Test scores in points."
COST = "Measured cost of the jobs behind these edges; machines and their load may differ."
NOT_RECORDED = "not recorded"
FILES = "compare"
LONGEST = 200  # letters of the folder's name
COST_NUMBERS = ("jobs", "hours in all", "seconds alone", "seconds joint", "peak MiB joint")


class ComparisonReport(Comparison):
    """A comparison as a page, a picture and files."""

    @property
    def picture(self) -> ComparisonPicture:
        """Numbers of the picture."""
        return picture(self.table, self.names)

    @property
    def title(self) -> str:
        """For the metadata of the files."""
        mark = "SYNTHETIC DATA: " if self.synthetic else ""
        return f"{mark}{' and '.join(self.names[1:])} against {self.names[0]}"

    @property
    def caption(self) -> str:
        """The caption of the picture."""
        return comparison_caption(
            self.names[0],
            smallest_effect=self.methods[0].smallest_effect,
            synthetic=self.synthetic,
            paired=sentences.seeds_and_items(self.table),
        )

    def markdown(self, *, picture: str = "") -> str:
        """The page; ``picture`` is the stem of the SVG file beside it, if there is one."""
        return compare_md(
            self.table,
            self.settings,
            self.cost,
            picture=picture,
            caption=self.caption,
            correction=self.methods[0].correction,
            all_settings=all(method.settings for method in self.methods),
        )

    def _repr_markdown_(self) -> str:
        return self.markdown()

    @property
    def folder(self) -> str:
        """`base+vs+other+other`, which is where it is written."""
        name = f"{self.names[0]}+vs+{'+'.join(self.names[1:])}"
        return name if len(name) <= LONGEST else f"{self.names[0]}+vs+{len(self.names) - 1}-others"

    def write(self, out: Path) -> list[Path]:
        """Write picture, tables and page into `out`/`folder`/; return the files, the page last."""
        from transfer.reporting import figures  # matplotlib loads here, not with the command line

        source = self.methods[0].data_source
        drawn = figures.draw_comparison(self.picture, caption=self.caption, source=source)
        return write_folder(
            out / self.folder,
            {
                f"{FILES}.csv": to_csv(self.table),
                f"{FILES}_cost.csv": to_csv(self.cost),
                f"{FILES}.md": self.markdown(picture=FILES),
            },
            draw=lambda folder: figures.save(drawn, folder / FILES, title=self.title),
        )


def compare_md(
    table: pd.DataFrame,
    settings: pd.DataFrame,
    cost: pd.DataFrame,
    *,
    correction: str,
    all_settings: bool,
    caption: str,
    picture: str = "",
) -> str:
    """`compare.md`; ``picture`` is the stem of the SVG beside it, ``all_settings`` whether all are known."""
    base, others = str(table["base"].iloc[0]), list(dict.fromkeys(table["method"]))
    of_each = {f"{name} against {base}": table[table["method"] == name] for name in others}
    parts = [
        f"# {escaped(f'{sentences.listed(others)} against {base}')}\n",
        f"> **{BANNER}** {SYNTHETIC}\n" if table["data_source"].iloc[0] == "synthetic" else "",
        f"{QUESTION.format(base=escaped(base))}\n",
        f"## What differs\n\n{_settings(settings, all_settings=all_settings)}",
        "## Answer\n",
        _bullets([f"{head}: {sentences.tally(rows)}" for head, rows in of_each.items()]),
    ]
    for head, rows in of_each.items():
        parts += [f"### {escaped(head)}\n", *_findings(rows)]
    if picture:
        parts.append(
            f"![Gains under each method, and their differences]({picture}.svg)\n\n*{escaped(caption)}*\n"
        )
    parts.append("## Edges\n\nGains in points.\n")
    parts += [f"**{escaped(head)}**\n\n{to_markdown(_gains(rows))}" for head, rows in of_each.items()]
    parts.append(f"## Scores\n\n{SCORES}\n")
    parts += [f"**{escaped(head)}**\n\n{to_markdown(_scores(rows))}" for head, rows in of_each.items()]
    parts.append(f"## Cost\n\n{COST} Seconds are medians over jobs.\n\n{to_markdown(cost_table(cost))}")
    parts.append(f"## Rules\n\n{_bullets(sentences.rules(table, correction))}")
    return "\n".join(part for part in parts if part)


def cost_table(cost: pd.DataFrame) -> pd.DataFrame:
    """The table of `costs` as a person reads it: text."""
    shown = pd.DataFrame({"method": cost["method"], "jobs": cost["jobs"]})
    columns = (
        ("seconds", 3600, 2),
        ("seconds_single", 1, 1),
        ("seconds_joint", 1, 1),
        ("peak_memory", 2**20, 0),
    )
    for head, (column, unit, digits) in zip(COST_NUMBERS[1:], columns, strict=True):
        shown[head] = [
            NOT_RECORDED if pd.isna(value) else f"{value / unit:.{digits}f}" for value in cost[column]
        ]
    return shown


def _settings(settings: pd.DataFrame, *, all_settings: bool) -> str:
    text = to_markdown(settings) if len(settings) else f"{SAME_SETTINGS}\n"
    if not all_settings:
        text += f"\n{NO_SETTINGS}\n"
    if names := [s.removeprefix(DATA_OF) for s in settings["setting"] if s.startswith(DATA_OF)]:
        text += f"\n{escaped(DATA.format(names=sentences.listed(names)))}\n"
    return text


def _findings(rows: pd.DataFrame) -> Iterator[str]:
    for text, lines in sentences.findings(rows):
        yield f"{escaped(text)}\n"
        if lines:
            yield _bullets(lines)


def _gains(rows: pd.DataFrame) -> pd.DataFrame:
    shown = rows[["source", "target", "metric"]].copy()
    for head, side in ((rows["base"].iloc[0], "base_"), (rows["method"].iloc[0], "")):
        shown[head] = [gain(row, side) for _, row in rows.iterrows()]
    shown["difference"] = [apart_by(row, "difference") for _, row in rows.iterrows()]
    shown["p adjusted"] = [f"{p:.2g}" if p == p else "" for p in rows["p_adjusted"]]
    shown["gain is"] = rows["difference_verdict"]
    verdicts = zip(rows["base_verdict"], rows["verdict"], strict=True)
    shown["verdict"] = [f"{before} → {after}" if before != after else after for before, after in verdicts]
    return shown.assign(flip=rows["flip"], seeds=rows["common_seeds"])


def _scores(rows: pd.DataFrame) -> pd.DataFrame:
    """Each target alone, and below it with each partner."""
    lines = []
    for target, group in rows.groupby("target", sort=True):
        alone = group.sort_values("common_seeds").iloc[-1]
        same = alone["same_single_runs"] == "yes"
        between = "the same runs" if same else apart_by(alone, "single")
        lines.append((target, "alone", points(alone["base_single"]), points(alone["single"]), between))
        lines += [
            (
                target,
                f"with {row['source']}",
                points(row["base_joint"]),
                points(row["joint"]),
                apart_by(row, "joint"),
            )
            for _, row in group.iterrows()
        ]
    heads = ["target", "trained", rows["base"].iloc[0], rows["method"].iloc[0], "difference"]
    return pd.DataFrame(lines, columns=pd.Index(heads))


def _bullets(lines: Sequence[str]) -> str:
    shown = [f"- {escaped(line)}\n" for line in lines[: sentences.MOST_NAMED]]
    if rest := len(lines) - len(shown):
        shown.append(f"- … and {rest} more, in compare.csv\n")
    return "".join(shown)
