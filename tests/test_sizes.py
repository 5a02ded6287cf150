"""Sizes that keep the code readable: parameters of functions, lines of modules; and one parser of groups."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "transfer"
SOURCES = sorted(PACKAGE.rglob("*.py"))
MOST_PARAMETERS, MOST_LINES = 8, 350
# how a command's options and a backward pass are passed in is not ours to choose
NOT_COUNTED = {"self", "cls", "ctx"}


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    every = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    return sum(argument.arg not in NOT_COUNTED for argument in every)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_and_signatures_stay_small(source: Path):
    text = source.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    if "cli" in source.parts:
        return
    functions = (
        n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert {f.name: parameters(f) for f in functions if parameters(f) > MOST_PARAMETERS} == {}


def test_names_of_groups_are_parsed_in_one_file():
    found = [str(path.relative_to(PACKAGE)) for path in SOURCES if 'split("+")' in path.read_text("utf-8")]
    assert found == ["arms.py"]
