"""The lines of ``transfer corpora list``: what each corpus is, under which terms, and where to get it."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from transfer.cli.terminal import aligned, paragraph

if TYPE_CHECKING:
    from transfer.corpora.base import Card
    from transfer.corpora.releases import Release

SIZES = ("train", "dev", "test")


def listing(folder: Path | None) -> Iterator[str]:
    """A table of all corpora, then license and source of each, within 80 columns.

    With a folder of prepared corpora the table says which of them it holds, and lists its others, too.
    """
    from transfer.corpora import prepared, synthetic
    from transfer.corpora.releases import RELEASES

    releases = sorted(RELEASES.values(), key=lambda release: release.name)
    there = prepared.names_in(folder) if folder else []
    rows = [_row(release, there if folder else None) for release in releases]
    for name in there:
        if name not in RELEASES:
            card, _ = prepared.card_or_errors(folder / name)  # type: ignore[operator]
            rows.append({"corpus": name, **(_kind(card) if card else {}), "prepared": "yes"})
    yield from aligned(rows, numbers=SIZES)
    yield ""
    yield "train, dev, test: lines after preparation, where the release is known"
    if not folder:
        yield "get: fetch (transfer corpora fetch NAME), or request (needs an agreement)"
    yield paragraph(f"synthetic, for grids with corpora: synthetic: {', '.join(synthetic.NAMES)}")
    yield ""
    yield "Licenses and sources"
    same: dict[tuple[str, ...], list[str]] = {}
    for release in releases:
        same.setdefault(tuple(_terms(release)), []).append(release.name)
    for name in sorted(set(there) - RELEASES.keys()):
        card, _ = prepared.card_or_errors(folder / name)  # type: ignore[operator]
        if card and card.licence:
            same.setdefault((card.licence,), []).append(name)
    for (licence, *lines), names in same.items():
        yield f"{', '.join(names)}: {licence}"
        yield from (f"  {line}" for line in lines)


def _row(release: "Release", there: list[str] | None) -> dict[str, str]:
    sizes = dict(zip(SIZES, map(str, release.sizes or ()), strict=False))
    row = {"corpus": release.name, **_kind(release.card)} | {name: sizes.get(name, "") for name in SIZES}
    if there is None:
        return row | {"get": "fetch" if release.access.downloads else "request"}
    return row | {"prepared": "yes" if release.name in there else "no"}


def _kind(card: "Card") -> dict[str, str]:
    from transfer.kinds import kind_of

    pair = "pair " if card.pair and not kind_of(card.kind).paired else ""
    return {"kind": f"{pair}{card.kind}", "domain": card.domain}


def _terms(release: "Release") -> Iterator[str]:
    yield release.card.licence
    for page in (release.access.page, release.access.via):
        if page:
            yield f"{'fetch: ' if page == release.access.via else ''}{page.split('://')[1]}"
    if not release.seen.startswith("the "):
        yield f"reader tried on {release.seen}"
