"""The source files of an installed distribution, parsed. The distribution is not imported."""

from __future__ import annotations

import ast
import importlib.metadata
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from conformance.errors import UsageError

BASE = "AvatarSession"


@dataclass(frozen=True)
class Source:
    """One module: its dotted name and its syntax tree."""

    module: str
    tree: ast.Module


@dataclass(frozen=True)
class Package:
    """A plugin's package: its dotted name, its modules, and the class that is its avatar."""

    distribution: str
    version: str
    name: str
    sources: Sequence[Source]
    avatar: ast.ClassDef


def read_package(distribution: str) -> Package:
    """Find the package with the avatar class in an installed distribution.

    Raises `UsageError` when it is not installed, can't be parsed, or has no such class.
    """
    try:
        installed = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        raise UsageError(
            f"{distribution} is not installed here; pip install {distribution}"
        ) from None
    sources = [_parsed(distribution, path, module) for path, module in _modules(installed)]
    for source in sources:
        avatar = _avatar_class(source.tree)
        if avatar is not None:
            package = source.module.rpartition(".")[0] or source.module
            return Package(
                distribution=str(installed.metadata["Name"]),
                version=installed.version,
                name=package,
                sources=[s for s in sources if f"{s.module}.".startswith(f"{package}.")],
                avatar=avatar,
            )
    raise UsageError(
        f"{distribution} {installed.version} has no class that derives from {BASE}; "
        "is it an avatar plugin?"
    )


def _modules(installed: importlib.metadata.Distribution) -> Iterator[tuple[Path, str]]:
    found = False
    for file in installed.files or ():
        if file.suffix == ".py" and "__pycache__" not in file.parts:
            found = True
            yield Path(str(installed.locate_file(file))), _dotted(Path(file))
    if not found:
        yield from _editable(installed)


def _editable(installed: importlib.metadata.Distribution) -> Iterator[tuple[Path, str]]:
    direct = json.loads(installed.read_text("direct_url.json") or "{}")
    if direct.get("dir_info", {}).get("editable"):
        root = Path(url2pathname(unquote(urlsplit(direct["url"]).path)))
        for top in (root / "livekit", root / "src" / "livekit"):
            for path in sorted(top.rglob("*.py")):
                yield path, _dotted(path.relative_to(top.parent))


def _dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts)


def _parsed(distribution: str, path: Path, module: str) -> Source:
    try:
        return Source(module, ast.parse(path.read_text("utf-8")))
    except (OSError, SyntaxError, ValueError) as error:
        raise UsageError(f"{distribution}: {path.name} can't be read: {error}") from None


def _avatar_class(tree: ast.Module) -> ast.ClassDef | None:
    """The class that derives from the host's, under whatever name it was imported."""
    names = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    for node in sorted(classes, key=lambda node: node.name != BASE):
        for base in node.bases:
            inner = base.value if isinstance(base, ast.Subscript) else base
            name = ast.unparse(inner).rpartition(".")[2]
            if names.get(name, name) == BASE:
                return node
    return None
