"""``transfer corpora fetch``: show the license of public releases and download them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from transfer.cli import completion
from transfer.cli.corpora import watched
from transfer.cli.terminal import paragraph, say
from transfer.inputs import InputError, did_you_mean

if TYPE_CHECKING:
    from transfer.corpora.releases import Release


def fetch(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="CORPUS…",
            help="Names of corpora; `transfer corpora list` shows them.",
            autocompletion=completion.downloads,
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option("--out", metavar="DIR", help="Folder for releases; each corpus gets a folder in it."),
    ] = Path("raw"),
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the terms and addresses, download nothing.")
    ] = False,
) -> None:
    """Download public corpora and check their SHA-256.

    The license is shown first. Corpora that need an agreement are not downloaded; the message says how to
    get them. No other command downloads corpora.
    """
    from transfer.corpora.fetching import fetch as fetched

    for release in _releases(names):
        access = release.access
        say(f"{release.name}: {release.card.source}")
        say(f"  license: {release.card.licence}")
        say(f"  source:  {access.page}")
        if access.via:
            say(f"  from:    {access.via}")
        say(f"  size:    {access.size / 1e6:.1f} MB")
        if dry_run:
            for download in access.downloads:
                say(f"  {download.url}")
            continue
        home = fetched(release.name, access, out, watched)
        say(f"  wrote {home}; next: transfer corpora prepare {release.name} --raw {home}")
    if not dry_run:
        say(paragraph("By using a corpus you accept its license; cite the publication named above."))


def _releases(names: list[str]) -> list["Release"]:
    """The releases of the corpora named, each once, all of them public."""
    from transfer.corpora.releases import RELEASES

    for name in names:
        if name not in RELEASES:
            raise InputError(f"unknown corpus '{name}'{did_you_mean(name, RELEASES)}")
        access = RELEASES[name].access
        if not access.downloads:
            how = f"to get it, {access.how}; " if access.how else ""
            raise InputError(f"{name} cannot be downloaded by this command; {how}see {access.page}")
    return [RELEASES[name] for name in dict.fromkeys(names)]
