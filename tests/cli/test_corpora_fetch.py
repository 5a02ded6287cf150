"""``corpora list`` and ``corpora fetch`` as a person meets them."""

import hashlib
import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from transfer.corpora.releases import RELEASES
from transfer.corpora.releases.access import Access, Download

ASSETS = Path(__file__).parents[1] / "assets" / "releases"


@pytest.fixture
def served(serve, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a loopback server that has the fixtures of SICK and STS-B; ``fetch`` gets them there."""
    home = serve({})
    for name, fixture in (("sick-relatedness", "sick"), ("sick-entailment", "sick"), ("stsb", "stsb")):
        files = {path.name: path.read_bytes() for path in (ASSETS / fixture).iterdir()}
        serve({f"/{fixture}/{path}": data for path, data in files.items()})
        downloads = (
            Download(f"{home}/{fixture}/{path}", path, len(data), hashlib.sha256(data).hexdigest())
            for path, data in files.items()
        )
        access = Access("https://example.org", tuple(downloads))
        monkeypatch.setitem(RELEASES, name, replace(RELEASES[name], access=access))  # type: ignore[arg-type]
    return home


def test_the_commands_of_the_page(transfer, served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The first commands of docs/corpora.md lead from nothing to prepared corpora."""
    page = (Path(__file__).parents[2] / "docs" / "corpora.md").read_text(encoding="utf-8")
    block = re.search(
        r"^<!-- run by: .*test_the_commands_of_the_page -->\n+```sh\n(.*?)^```$", page, re.M | re.S
    )
    assert block
    monkeypatch.chdir(tmp_path)
    for command in block[1].splitlines():
        code, _, err = transfer(*shlex.split(command, comments=True)[1:])
        assert (code, err) == (0, "")
    assert sorted(path.name for path in (tmp_path / "corpora").iterdir()) == ["sick-entailment", "stsb"]


def test_terms_are_shown_first_and_the_next_command_prepares_the_corpus(transfer, served, tmp_path: Path):
    raw = tmp_path / "raw"
    code, out, err = transfer("corpora", "fetch", "sick-relatedness", "sick-entailment", "--out", raw)
    assert (code, err) == (0, "")
    assert out.index("license: CC BY-NC-SA 3.0") < out.index(f"wrote {raw / 'sick-relatedness'}")
    (command,) = [
        line.partition("next: transfer ")[2] for line in out.splitlines() if "entailment --raw" in line
    ]
    code, _, err = transfer(*command.split(), "--to", tmp_path / "corpora")
    assert (code, err) == (0, "")
    assert (tmp_path / "corpora" / "sick-entailment" / "test.jsonl").is_file()


def test_a_second_time_is_refused(transfer, served: str, tmp_path: Path):
    assert transfer("corpora", "fetch", "sick-entailment", "--out", tmp_path)[0] == 0
    code, _, err = transfer("corpora", "fetch", "sick-entailment", "--out", tmp_path)
    assert code == 2
    assert f"{tmp_path / 'sick-entailment'}: already exists" in err


def test_a_dry_run_shows_terms_and_addresses_and_downloads_nothing(transfer, served: str, tmp_path: Path):
    code, out, _ = transfer("corpora", "fetch", "sick-entailment", "--out", tmp_path / "raw", "--dry-run")
    assert code == 0
    assert "license: CC BY-NC-SA 3.0" in out
    assert f"{served}/sick/SICK_trial.txt" in out
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mednli", "mednli cannot be downloaded by this command; to get it, become a credentialed user"),
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
