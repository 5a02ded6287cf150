"""The pages of the documentation: their fenced blocks, and how they are run."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from transfer.corpora.base import Card
from transfer.grid import Grid
from transfer.inputs import read_yaml, validated

ROOT = Path(__file__).parents[2]
FENCE = re.compile(
    r"(?:^<!-- run by: (?P<by>[^\n]+) -->\n+)?^```(?P<language>\w+)\n(?P<content>.*?)^```$",
    flags=re.MULTILINE | re.DOTALL,
)
# `transfer` of a page, of the checkout that is tested; what a test asks for besides goes to commands of grids
SHELL = """\
transfer() {
  local more=()
  case "$1 ${2-}" in
    (run-grid*|plan*|status*|report*|"corpora planted"|recommend*|group*|compare*) more=("${MORE[@]}");;
  esac
  if [ "$1" = run-grid ] && [[ " $* " != *" --executor "* ]]; then more+=(--executor inline); fi
  PYTHONPATH="$PACKAGE" "$PYTHON" -c 'from transfer.cli import main; main()' "$@" "${more[@]}"
}
python3() { "$PYTHON" "$@"; }
# What make would do but for setting up and for the tests, which are what runs this: its lines with `transfer`
make() {
  local lines; lines=$(command make --no-print-directory -n -C "$PACKAGE" "$@"); echo "$lines"
  eval "$(sed -n 's#^[.]venv/bin/transfer #transfer #p' <<< "$lines")"
}
"""


@dataclass(frozen=True)
class Block:
    """A fenced block; ``by`` names the test that runs it, where that is not the one of the page."""

    page: str
    line: int
    language: str
    content: str
    by: str

    @property
    def file(self) -> str:
        """The file that the block is, by its first line (``# path``); empty where it is none."""
        named = re.match(r"# (\S+\.(?:yaml|py))\n", self.content)
        return named[1] if named else ""


def blocks_of(page: Path) -> list[Block]:
    """The fenced blocks of a page that name a language."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            str(page.relative_to(ROOT)),
            text[: m.start("language")].count("\n") + 1,
            m["language"],
            m["content"],
            m["by"] or "",
        )
        for m in FENCE.finditer(text)
    ]


@dataclass
class Runner:
    """Runs the blocks of a page in a folder, in their order.

    ``more``: what is added to commands about grids, to make a run small. ``package``: where the
    package is imported from.
    """

    folder: Path
    more: list[str] = field(default_factory=list)
    package: Path = ROOT
    said: str = ""

    def run(self, page: Path) -> "Runner":
        for block in blocks_of(page):
            if not block.by:
                getattr(self, block.language)(block)
        return self

    def sh(self, block: Block) -> None:
        self.command(block.content, where=f"{block.page} line {block.line}")

    def command(self, script: str, *, where: str = "") -> None:
        """Runs lines of shell, with ``transfer`` and ``python3`` those of the checkout."""
        script = re.sub(r"^\.venv/bin/transfer ", "transfer ", script, flags=re.MULTILINE)
        head = f"PYTHON={shlex.quote(sys.executable)}\nPACKAGE={shlex.quote(str(self.package))}\n"
        head += f"MORE=({shlex.join(self.more)})\n{SHELL}"
        self._ran(["bash", "-euo", "pipefail", "-c", head + script], what=f"{where}:\n{script}")

    def python(self, block: Block) -> None:
        what = f"{block.page} line {block.line}:\n{block.content}"
        self._ran([sys.executable, "-c", block.content], what=what)

    def yaml(self, block: Block) -> None:
        assert block.file, f"{block.page}:{block.line}: its first line should name the file: # grid.yaml"
        path = self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.content, encoding="utf-8")
        data, lines = read_yaml(path)
        if "kind" in data:
            validated(Card, data, path=path, lines=lines)
        else:
            Grid.load(path)

    def csv(self, block: Block) -> None:
        """The first lines of a file that the page wrote earlier."""
        begins = [path.read_text(encoding="utf-8") for path in self.folder.glob("*.csv")]
        assert any(text.startswith(block.content) for text in begins)

    def _ran(self, command: list[str], *, what: str) -> None:
        # one thread: on a busy machine more of them only make so small a run slower
        environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(self.package)}
        ran = subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=240
        )
        assert ran.returncode == 0, f"{what}\n{ran.stdout}\n{ran.stderr}"
        self.said += ran.stdout


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Runner]:
    """``runner(more=[…])`` is a Runner in an empty folder."""
    return lambda **options: Runner(tmp_path_factory.mktemp("page"), **options)


@pytest.fixture(scope="session", name="blocks_of")
def _blocks_of() -> Callable[[Path], list[Block]]:
    return blocks_of
