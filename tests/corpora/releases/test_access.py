"""Every release says where it is to be had; what can be downloaded is pinned by commit and hash."""

import re

import pytest

from transfer.corpora.releases import RELEASES

AGREEMENTS = {"clinicalsts", "i2b2-2010-re", "mednli", "shareclefe"}
PINNED = re.compile(
    r"https://(raw\.githubusercontent\.com/[\w.-]+/[\w.-]+/[0-9a-f]{40}/[\w./-]+"
    r"|github\.com/[\w.-]+/[\w.-]+/archive/[0-9a-f]{40}\.zip)"
)


def test_what_needs_an_agreement_says_how_to_get_it_and_all_else_can_be_downloaded():
    assert {name for name, release in RELEASES.items() if not release.access.downloads} == AGREEMENTS
    for name in AGREEMENTS:
        assert "agreement" in RELEASES[name].access.how


@pytest.mark.parametrize("name", RELEASES)
def test_terms_and_source_are_given(name: str):
    release = RELEASES[name]
    assert release.card.licence
    assert re.match(r"https?://\S+$", release.access.page)


@pytest.mark.parametrize("name", sorted(RELEASES.keys() - AGREEMENTS))
def test_downloads_are_pinned_and_apart(name: str):
    access = RELEASES[name].access
    for download in access.downloads:
        assert PINNED.fullmatch(download.url)
        assert re.fullmatch(r"[0-9a-f]{64}", download.sha256)
        assert download.size > 0
    places = [download.to for download in access.downloads]
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("name", sorted(RELEASES.keys() - {"i2b2-2010-re", "shareclefe"}))
def test_sizes_are_given_where_the_release_is_known(name: str):
    assert RELEASES[name].sizes is not None
