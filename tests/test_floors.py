"""Which package may know what: the contracts of `[tool.importlinter]`, and the host's own names."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("conformance", "vendor_adapters")
OF_ASYNCIO = {"_children", "_run_once"}
"""Names of asyncio's own that the host uses for something of its own too."""
BY_NAME = {"getattr", "setattr", "hasattr", "delattr"}


def private(name: str) -> bool:
    """Whether a name starts with an underscore and is no magic one."""
    return name.startswith("_") and not name.endswith("__")


def own_names(trees: Iterable[ast.AST]) -> set[str]:
    """The private names that modules define, in any scope."""
    names: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and ast.unparse(node.value) in ("self", "cls")
        ):
            names.add(node.attr)
    return {name for name in names if private(name)}


def private_imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of each private module or name that is imported from the host."""
    for node in ast.walk(tree):
        dotted: list[str] = []
        if isinstance(node, ast.ImportFrom):
            dotted = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        for path in dotted:
            if path.startswith("livekit.agents"):
                yield from ((node.lineno, part) for part in path.split(".") if private(part))


def attributes(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and name of each private attribute that is read, set, or named in `getattr`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and private(node.attr):
            yield node.lineno, node.attr
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in BY_NAME:
            for argument in node.args[1:2]:
                if isinstance(argument, ast.Constant) and private(str(argument.value)):
                    yield node.lineno, str(argument.value)


def host_names(tree: ast.AST, host: set[str], ours: set[str]) -> Iterator[tuple[int, str]]:
    """Line and name of each private thing of the host: imported, or its attribute and not ours."""
    yield from private_imports(tree)
    yield from ((line, name) for line, name in attributes(tree) if name in host - ours - OF_ASYNCIO)


def modules(root: Path, *leave_out: Path) -> dict[Path, ast.AST]:
    """The modules below a folder, parsed."""
    return {
        path: ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(root.rglob("*.py"))
        if not set(leave_out) & set(path.parents)
    }


def test_imports_go_downwards_and_never_in_circles() -> None:
    """Every contract of `[tool.importlinter]` in pyproject.toml is kept."""
    pytest.importorskip("importlinter", reason="import-linter comes with the extra `lint`")
    command = "import sys; from importlinter.cli import lint_imports_command as c; c()"
    ran = subprocess.run(
        [sys.executable, "-c", command, "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_private_names_of_the_host_are_touched_in_conformance_host_only() -> None:
    """No other package reads, sets or imports a name of the host that starts with an underscore."""
    trees: dict[Path, ast.AST] = {}
    for package in PACKAGES:
        trees |= modules(ROOT / package, ROOT / "conformance" / "host")
    (installed,) = importlib.import_module("livekit.agents").__path__
    host, ours = own_names(modules(Path(installed)).values()), own_names(trees.values())
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path, tree in trees.items()
        for line, name in host_names(tree, host, ours)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("from livekit.agents.voice import _utils", "_utils"),
        ("import livekit.agents._exceptions", "_exceptions"),
        ("def f(session):\n    return session._activity", "_activity"),
        ("def f(output):\n    setattr(output, '_audio_sink', None)", "_audio_sink"),
    ],
)
def test_a_private_name_of_the_host_is_found(source: str, name: str) -> None:
    """An import, an attribute and a name in `setattr` are all found; one's own is not."""
    tree = ast.parse(source)
    host = {"_activity", "_audio_sink", "_own"}
    assert [found for _, found in host_names(tree, host, {"_own"})] == [name]
