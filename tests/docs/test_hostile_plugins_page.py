"""The page of what was tried against the kit: each row has a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "hostile-plugins.md").read_text("utf-8")
ROWS = [line for line in PAGE.splitlines() if re.match(r"\| (?!trick)", line)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip()[:40])
def test_each_trick_has_its_test(row: str) -> None:
    """Before, after, and a test of that name in that file."""
    trick, before, after, shown = (cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1])
    assert trick
    assert before
    assert after
    path, name = shown.strip("`").split("::")
    functions = ast.walk(ast.parse((ROOT / path).read_text("utf-8")))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert name in {node.name for node in functions if isinstance(node, kinds)}


def test_no_row_is_lost() -> None:
    """Every table is read."""
    assert len(ROWS) > 30
