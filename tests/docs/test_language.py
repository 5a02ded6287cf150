"""The checkable part of the language rules: docstrings' first lines and README sentences."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from statistics import mean

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "transfer").rglob("*.py"))
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
# A first line that begins like this is half a sentence: the signature has the other half.
HALVES = re.compile(r"(As|How|Of|What|Where|Who|Whose)\b")
WORDS_PER_SENTENCE = 20


def first_lines(source: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, DOCUMENTED) and (docstring := ast.get_docstring(node)):
            yield getattr(node, "lineno", 1), docstring.splitlines()[0]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_first_line_of_a_docstring_stands_alone(source: Path):
    faults = [
        f"line {line}: {text}"
        for line, text in first_lines(source)
        if not text.endswith(".") or HALVES.match(text)
    ]
    assert faults == []


def sentences(markdown: str) -> list[str]:
    """The sentences of a page's paragraphs and list items, without headings, tables, code and pictures."""
    text = re.sub(r"^```.*?^```$|<!--.*?-->|<img[^>]*>", "", markdown, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"^(#|\|).*$", "", text, flags=re.MULTILINE)
    text = re.sub(r"\]\([^)]*\)", "]", text)  # the target of a link is not read aloud
    blocks = re.split(r"\n\s*\n|\n\s*[-*] ", text)
    cut = [re.split(r"(?<=[.!?])[*)\"]*\s+(?=[\W_]*[A-Z0-9])", " ".join(block.split())) for block in blocks]
    return [sentence for block in cut for sentence in block if re.search(r"\w", sentence)]


def words(sentence: str) -> int:
    return len(re.findall(r"\S*\w\S*", sentence))


def test_sentences_are_told_apart():
    page = "# Not this\n\nOne two. Three\nfour `a.b` five: 0.5 points, *six*.\n\n- **Seven.** Eight?\n- nine"
    assert [words(sentence) for sentence in sentences(page)] == [2, 7, 1, 1, 1]


def test_the_sentences_of_the_readme_are_short():
    counted = {s: words(s) for s in sentences((ROOT / "README.md").read_text(encoding="utf-8"))}
    longest = max(counted, key=lambda sentence: counted[sentence])
    assert mean(counted.values()) <= WORDS_PER_SENTENCE, f"the longest: {longest}"
