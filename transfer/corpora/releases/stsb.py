"""STS benchmark, how much two sentences mean the same: 8,628 pairs of news, captions and forums.

The release is the table that goes round in several languages (github.com/PhilipMay/stsb-multi-mt), here the
English one: without a header, a record is two sentences and their score, 0 (nothing in common) to 5
(the same). Scores are means of several annotators, given with all their digits.
"""

from pathlib import Path

from transfer.corpora.base import SPLITS, Card, Split
from transfer.corpora.releases.access import github
from transfer.corpora.releases.base import (
    Reading,
    Release,
    Row,
    Watch,
    counted,
    part_of,
    score,
    wrong,
)
from transfer.corpora.releases.delimited import records_of

LOW, HIGH = 0.0, 5.0


def read(release: Path, watch: Watch) -> Reading:
    """Every pair, in the order of the release. Raises InputError, see Release."""
    rows: dict[Split, list[Row]] = {}
    for split in SPLITS:
        path = part_of(release, f"stsb-en-{split}.csv")
        rows[split] = []
        for line, fields in watch(list(records_of(path, ",")), f"STS-B {split}"):
            if len(fields) != 3 or not all(fields):
                raise wrong(path, line, f"{len(fields)} fields; a record is two sentences and their score")
            rows[split].append(
                {
                    "id": f"stsb-{split}-{len(rows[split]):05d}",
                    "text_a": fields[0],
                    "text_b": fields[1],
                    "score": score(path, line, fields[2], LOW, HIGH),
                }
            )
    return counted(rows)


RELEASES = (
    Release(
        card=Card(
            name="stsb",
            kind="similarity",
            metric="pearson",
            pair=True,
            range=(LOW, HIGH),
            domain="general",
            text="general English",
            licence="CC BY-SA 4.0 scores; text of mixed origin",
            source="STS benchmark, Cer et al. 2017",
        ),
        unit="pairs",
        seen="the release",
        readers={"official": read},
        access=github(
            "PhilipMay/stsb-multi-mt",
            "30de0dec4ee199b7f42351d3f1a0b19592955385",
            (
                (
                    "stsb-en-train.csv",
                    708863,
                    "e1e84fec60bbb598735552f54a35f4949904a484750fd2cb11e2720e49f63da6",
                ),
                (
                    "stsb-en-dev.csv",
                    204675,
                    "d29586e96558c4eb52cf5ea5d14e9c24d3bf0e44f111b017caba43a5adc33226",
                ),
                (
                    "stsb-en-test.csv",
                    158891,
                    "11523b625219e94e9ca05d2816b5f02cac1614c5894fe657376fa0806378d053",
                ),
            ),
            page="http://ixa2.si.ehu.eus/stswiki/index.php/STSbenchmark",
            below="data/",
        ),
        sizes=(5749, 1500, 1379),
    ),
)
