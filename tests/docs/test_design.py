"""docs/design.md describes the tree as it is."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "transfer"
TEXT = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`((?:\w+/)*(?:\w+/|\w+\.(?:py|cpp)))`", TEXT))


def test_every_path_of_the_page_is_there():
    assert len(NAMED) > 20
    assert [name for name in sorted(NAMED) if not (PACKAGE / name).exists()] == []


def test_every_module_and_package_has_its_line():
    modules = {path.name for path in PACKAGE.glob("*.py") if path.name != "__init__.py"}
    packages = {f"{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")}
    assert sorted((modules | packages) - NAMED) == []
