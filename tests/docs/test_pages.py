"""Every page: its links lead somewhere, and its blocks are run, or say why not."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from transfer.analysis.tables import interval_of
from transfer.corpora.releases import RELEASES

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *DOCS,
    *sorted((ROOT / "docs").glob("*/*.md")),
    *sorted((ROOT / "studies").glob("*/*.md")),
]
# pages whose blocks are run by a test of their own, or are no blocks of a person's
ELSEWHERE = {
    "docs/own-data.md": "tests/docs/test_own_data.py",
    "docs/extending.md": "tests/docs/test_extending.py",
    "docs/trainers.md": "tests/trainers/test_page.py",
    "docs/reference.md": "tests/cli/test_help.py parses its examples",
}
RUN = {"README.md", "docs/tutorial.md", "docs/grids.md", "docs/corpora.md", "docs/models.md"}
LINK = re.compile(r"(?<!`)!?\[[^\]]*\]\(([^)\s]+)\)")
PICTURE = re.compile(r'<img src="([^"]+)"')
TINY = ["--set", "recipe.epochs=1", "--set", "seeds=2"]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    heads = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_page_has_the_markers_of_a_merge(page: Path):
    assert not re.search(r"^(<{7}|>{7})", page.read_text(encoding="utf-8"), flags=re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page: Path):
    broken = []
    text = page.read_text(encoding="utf-8")
    for link in LINK.findall(text) + PICTURE.findall(text):
        where, _, anchor = link.partition("#")
        if re.match(r"https://[\w.-]+/\S*$", link):
            continue
        target = (page.parent / where).resolve() if where else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def test_every_page_that_has_blocks_is_run_somewhere(blocks_of):
    pages = {name(page) for page in [ROOT / "README.md", *DOCS] if any(not b.by for b in blocks_of(page))}
    assert pages == RUN | set(ELSEWHERE)


def test_blocks_that_are_run_apart_name_the_test_that_runs_them(blocks_of):
    apart = [block for page in [ROOT / "README.md", *DOCS] for block in blocks_of(page) if block.by]
    for block in apart:
        path, _, test = block.by.partition("::")
        text = (ROOT / path).read_text(encoding="utf-8")
        assert f"def {test}(" in text, f"{block.page} line {block.line}: there is no {block.by}"
        assert Path(block.page).name in text, f"{path} does not read {block.page}"


def link_repository(folder: Path) -> None:
    """Copy the parts of a clone that a page's commands rely on."""
    for part in ("grids", "studies"):
        shutil.copytree(ROOT / part, folder / part)


def test_the_readme(runner, write_corpus, tiny_corpora: Path, tiny_encoder: Path):
    ran = runner(more=["--set", f"encoder={tiny_encoder}", *TINY])
    link_repository(ran.folder)
    own = ran.folder / "my-corpora"
    texts = [f"aspirin and pain {i}" for i in range(12)]
    rows = [{"id": f"{i}", "text": t, "label": ("ade", "none")[i % 2]} for i, t in enumerate(texts)]
    labels = ["ade", "none"]
    card = {"name": "adverse-events", "kind": "classification", "metric": "micro_f1", "labels": labels}
    write_corpus(own, card, dict.fromkeys(("train", "dev", "test"), rows))
    shutil.copytree(tiny_corpora / "ner", own / "drug-names")
    text = (own / "drug-names" / "corpus.yaml").read_text().replace('"ner"', '"drug-names"')
    (own / "drug-names" / "corpus.yaml").write_text(text)
    ran.run(ROOT / "README.md")
    assert list((ran.folder / "reports").glob("my_pairs+*/report.html"))
    assert "Train drug-names" in " ".join(ran.said.split())
    assert "model" in ran.said


def run_apart(ran, page: Path, test: str, blocks_of) -> None:
    """Runs the blocks of a page that are left to a test."""
    blocks = [block for block in blocks_of(page) if block.by.endswith(f"::{test}")]
    assert blocks
    for block in blocks:
        ran.sh(block)


def test_the_main_job(runner, blocks_of, tiny_encoder: Path):
    """README.md's first commands, with a tiny encoder; what make sets up is the environment of this test."""
    small = ["--set", f"encoder={tiny_encoder}", "--set", "recipe.epochs=1", "--set", "seeds=2"]
    ran = runner(more=[*small, "--set", "limit={train: 24, dev: 20, test: 20}"])
    link_repository(ran.folder)
    run_apart(ran, ROOT / "README.md", "test_the_main_job", blocks_of)
    assert "-m pytest" in ran.said, "make test"
    assert "planted 'harms': " in ran.said
    assert list((ran.folder / "reports").glob("clinical_pairs+*/report.html"))


def test_the_planted_edges_that_the_page_shows_are_those_of_the_committed_report():
    text = (ROOT / "docs" / "synthetic.md").read_text(encoding="utf-8")
    edges = pd.read_csv(ROOT / "studies" / "clinical_pairs" / "edges.csv").set_index(["source", "target"])
    shown = re.findall(r"^\| (\S+) → (\S+) \| \w+ \| (\w+) \| (.+) \|$", text, re.MULTILINE)
    assert len(shown) == 4
    for source, target, verdict, gain in shown:
        edge = edges.loc[source, target]
        low, high = (100 * end for end in interval_of(edge))
        assert (verdict, gain) == (edge["verdict"], f"{100 * edge['gain']:+.1f} ({low:.1f} to {high:.1f})")
    claimed = edges["verdict"].isin(["improves", "harms"]).sum()
    assert (claimed == 4) == ("Nothing else is claimed." in text)


def test_the_public_grids(runner, blocks_of, real_corpora: Path, tiny_encoder: Path):
    """README.md's grids on real corpora, with a tiny encoder and few examples."""
    small = ["--set", f"encoder={tiny_encoder}", "--set", "recipe.epochs=1", "--set", "seeds=1"]
    ran = runner(more=[*small, "--set", "jobs=[single]", "--set", "limit={train: 24, dev: 20, test: 20}"])
    link_repository(ran.folder)
    (ran.folder / "DIR").symlink_to(real_corpora.resolve())
    run_apart(ran, ROOT / "README.md", "test_the_public_grids", blocks_of)
    for name in ("public_biomedical_pairs", "public_clinical_pairs"):
        # the options of this test are part of the report's name
        assert re.search(rf"^{name}\S*: 8 jobs, 0 done, 8 to run$", ran.said, re.M), (
            "4 of them its null control"
        )


def test_the_tutorial(runner):
    ran = runner().run(ROOT / "docs" / "tutorial.md")
    assert "6 jobs, 6 to run" in ran.said
    assert "6 done, 0 running, 0 failed, 0 pending" in ran.said
    assert "9 jobs, 9 to run" in ran.said, "other epochs are other jobs"
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    named = re.findall(r"`(reports/first/[\w./-]+\.\w+)`", text)
    assert len(named) >= 2
    assert [path for path in named if not (ran.folder / path).is_file()] == []
    assert (ran.folder / "corpora" / "triage" / "corpus.yaml").is_file()


def test_the_page_on_grids(runner):
    ran = runner()
    ran.run(ROOT / "docs" / "grids.md")


@pytest.mark.slow  # seven processes that import torch
def test_the_page_on_models(runner, tiny_encoder: Path):
    ran = runner(more=["--set", f"encoder={tiny_encoder}"]).run(ROOT / "docs" / "models.md")
    assert "models kept: 2 of 6" in ran.said
    assert "6 jobs, 2 done, 4 to run" in ran.said, "keep=[single] keeps the four single ones"
    files = {path.name for path in (ran.folder / "models" / "shareclefe").iterdir()}
    assert files >= {"README.md", "config.json", "model.safetensors", "tokenizer.json", "transfer.json"}
    assert (ran.folder / "labelled.jsonl").read_text() in ran.said


def test_the_page_on_corpora(runner):
    ran = runner()
    (ran.folder / "notes.csv").write_text(
        "text,label\n" + "".join(f"note number {i} about {i % 7},{'ab'[i % 2]}\n" for i in range(40))
    )
    release = shutil.copytree(
        ROOT / "tests" / "assets" / "releases" / "chemprot", ran.folder / "ChemProt_Corpus"
    )
    # the few pairs of that fixture have labels in dev and test that its train lacks, which check refuses
    for split in ("development", "test_gs"):
        for gold in (release / f"chemprot_{split}").glob("*gold_standard.tsv"):
            gold.write_text(re.sub("CPR:[35]", "CPR:4", gold.read_text()))
    ran.run(ROOT / "docs" / "corpora.md")
    assert "chemprot" in ran.said
    assert "triage" in ran.said


def test_the_table_of_corpora_is_that_of_the_registry():
    text = (ROOT / "docs" / "corpora.md").read_text(encoding="utf-8")
    table = text.split("## Known corpora")[1].split("## ")[0]
    rows = {
        cells[1].strip("` "): [cell.strip() for cell in cells[2:-1]]
        for line in table.splitlines()
        if (cells := line.split("|"))[1:] and cells[1].startswith(" `")
    }
    assert list(rows) == sorted(RELEASES)
    for name, (kind, sizes, unit, licence, source, _) in rows.items():
        release = RELEASES[name]
        pair = release.card.pair and release.card.kind == "classification"
        assert kind == ("pair " if pair else "") + release.card.kind
        assert sizes == (", ".join(map(str, release.sizes)) if release.sizes else "not known")
        assert (unit, licence) == (release.unit, release.card.licence)
        assert LINK.fullmatch(source)[1] in (release.access.page, release.access.via)  # type: ignore[index]
