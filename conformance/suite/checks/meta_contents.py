"""META, continued: what the wheel ships, and what it touches of the host's private parts."""

from __future__ import annotations

import ast
import importlib.metadata
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import livekit.agents.voice
import livekit.rtc

from conformance.results.outcomes import NotApplicable
from conformance.suite.registry import check
from conformance.suite.scene.expect import expect
from conformance.suite.scene.scene import Scene

from .meta import is_private, needs_plugin, package_of, parsed

_COMMON = {"tests", "test", "testing", "examples", "example", "docs", "scripts", "src"}
"""Top-level names that belong to nobody: whoever installs one shadows another's."""

_NAMESPACES = ("livekit/__init__.py", "livekit/plugins/__init__.py")
"""Packages that several distributions share, and that none of them may close."""

_PRIVATE = re.compile(r"(?:self\.|def )(_[a-z]\w*)")


@check("META-05", needs_avatar=False)
async def shadows_nothing(scene: Scene) -> None:
    """The wheel ships nothing that shadows another distribution."""
    needs_plugin(scene)
    name = scene.manifest.distribution
    files = _files(name)
    if not files:
        raise NotApplicable(f"{name} is not installed from a wheel: nobody knows what it ships")
    common = {f for f in files if f.partition("/")[0] in _COMMON or f in _NAMESPACES}
    installed = sum(1 for _ in importlib.metadata.distributions())
    others = {f for f in files if _owners(installed).get(f, frozenset()) - {_normal(name)}}
    found = sorted(common | others)
    expect(
        not found,
        "every file of the wheel is in a package of its own",
        f"{', '.join(found[:3])}{' and more' if len(found) > 3 else ''}",
        hint="name the packages that the wheel is to have, and leave livekit/__init__.py out",
    )


@check("META-04", variants=("attributes",), needs_avatar=False)
async def public_attributes_only(scene: Scene, variant: str) -> None:
    """The provider touches no private attribute or method of a host object."""
    needs_plugin(scene)
    found = _touched(package_of(scene))
    expect(
        not found,
        "no private attribute or method of a host object",
        "; ".join(found[:5]),
        hint="use what livekit.agents exports; ask for what it doesn't",
    )


def _files(distribution: str) -> set[str]:
    try:
        listed = importlib.metadata.files(distribution) or ()
    except importlib.metadata.PackageNotFoundError:
        return set()
    return {
        str(file)
        for file in listed
        if file.suffix == ".py" and not file.parts[0].endswith(".dist-info")
    } - {f"__editable___{_normal(distribution)}_finder.py"}


@cache
def _owners(installed: int) -> dict[str, set[str]]:
    """Every module of the ``installed`` distributions, with those that ship it."""
    owners: dict[str, set[str]] = {}
    for distribution in importlib.metadata.distributions():
        name = _normal(distribution.metadata["Name"] or "")
        for file in distribution.files or ():
            if file.suffix == ".py":
                owners.setdefault(str(file), set()).add(name)
    return owners


@cache
def _touched(package: Path) -> tuple[str, ...]:
    trees = {path: parsed(path) for path in sorted(package.rglob("*.py"))}
    own = {name for tree in trees.values() for name in _defined(tree)}
    found = []
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Attribute) or not is_private(node.attr):
                continue
            of_itself = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            if not of_itself and node.attr not in own and node.attr in _private_names():
                found.append(f"{ast.unparse(node)} ({path.relative_to(package)}:{node.lineno})")
    return tuple(found)


def _defined(tree: ast.Module) -> Iterator[str]:
    """The names that a module gives to attributes, functions and classes of its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and isinstance(node.value, ast.Name)
            and node.value.id == "self"
        ):
            yield node.attr


@cache
def _private_names() -> frozenset[str]:
    """What the host's own classes call private."""
    places = (livekit.agents.voice.__file__, livekit.rtc.__file__)
    return frozenset(
        name
        for place in places
        for path in Path(str(place)).parent.rglob("*.py")
        for name in _PRIVATE.findall(path.read_text(encoding="utf-8"))
    )


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
