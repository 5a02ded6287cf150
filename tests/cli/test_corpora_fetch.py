"""``corpora list`` and ``corpora fetch`` as a person meets them."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from transfer.corpora.releases import RELEASES
from transfer.corpora.releases.access import Access, Download

ASSETS = Path(__file__).parents[1] / "assets" / "releases"


@pytest.fixture
def served(serve, monkeypatch: pytest.MonkeyPatch) -> str:
    """The two SICK corpora are those of the fixture, served on loopback."""
    files = {f"/{path.name}": path.read_bytes() for path in (ASSETS / "sick").iterdir()}
    home = serve(files)
    access = Access(
        "https://example.org/sick",
        tuple(
            Download(f"{home}{name}", name[1:], len(data), hashlib.sha256(data).hexdigest())
            for name, data in files.items()
        ),
        folder="sick",
    )
    for name in ("sick-relatedness", "sick-entailment"):
        monkeypatch.setitem(RELEASES, name, replace(RELEASES[name], access=access))  # type: ignore[arg-type]
    return home


def test_a_shared_release_is_downloaded_once_and_can_be_prepared(transfer, served: str, tmp_path: Path):
    raw = tmp_path / "raw"
    code, out, err = transfer("corpora", "fetch", "sick-relatedness", "sick-entailment", "--out", raw)
    assert (code, err) == (0, "")
    assert out.index("license: CC BY-NC-SA 3.0") < out.index(f"wrote {raw / 'sick'}")
    assert out.count("wrote") == 1
    (command,) = [line.split()[1:] for line in out.splitlines() if "sick-entailment --raw" in line]
    code, _, err = transfer(*command, "--to", tmp_path / "corpora")
    assert (code, err) == (0, "")
    assert (tmp_path / "corpora" / "sick-entailment" / "test.jsonl").is_file()


def test_a_second_time_is_refused(transfer, served: str, tmp_path: Path):
    assert transfer("corpora", "fetch", "sick-entailment", "--out", tmp_path)[0] == 0
    code, _, err = transfer("corpora", "fetch", "sick-relatedness", "--out", tmp_path)
    assert code == 2
    assert f"{tmp_path / 'sick'}: already exists" in err


def test_a_dry_run_shows_terms_and_addresses_and_downloads_nothing(transfer, served: str, tmp_path: Path):
    code, out, _ = transfer("corpora", "fetch", "sick-entailment", "--out", tmp_path / "raw", "--dry-run")
    assert code == 0
    assert "license: CC BY-NC-SA 3.0" in out
    assert f"{served}/SICK_trial.txt" in out
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mednli", "mednli cannot be downloaded by everyone; become a credentialed user of PhysioNet"),
        ("sick", "unknown corpus 'sick'"),
        ("stbs", "did you mean 'stsb'?"),
    ],
)
def test_what_cannot_be_fetched_is_said_before_anything_is_downloaded(
    name: str, says: str, transfer, served: str, tmp_path: Path
):
    code, _, err = transfer("corpora", "fetch", "sick-entailment", name, "--out", tmp_path / "raw")
    assert code == 2
    assert says in err
    assert not (tmp_path / "raw").exists()


def test_the_list_says_kind_size_license_and_source_within_80_columns(transfer):
    code, out, _ = transfer("corpora", "list")
    assert code == 0
    assert max(map(len, out.splitlines())) <= 80
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.split()}
    assert rows["stsb"] == ["similarity", "general", "5749", "1500", "1379", "fetch"]
    assert rows["mednli"][-1] == "request"
    for release in RELEASES.values():
        assert f"{release.name}: {release.card.licence}" in out or f"{release.name}, " in out
        assert release.access.page.split("://")[1] in out


def test_the_list_of_a_folder_says_what_is_prepared_in_it(transfer, tiny_corpora: Path):
    code, out, _ = transfer("corpora", "list", tiny_corpora)
    assert code == 0
    rows = {line.split()[0]: line.split()[1:] for line in out.splitlines() if line.split()}
    assert rows["sim"] == ["similarity", "yes"]
    assert rows["stsb"][-1] == "no"
