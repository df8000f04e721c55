"""Finds the avatar class of an installed distribution, by importing it, and its parameters."""

from __future__ import annotations

import dataclasses
import enum
import importlib
import importlib.metadata
import inspect
import json
import re
import sys
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from conformance.errors import UsageError

BASE = "AvatarSession"
SECRET_WORDS = ("key", "secret", "token", "password")
_LEFT_OUT = re.compile(r"(^|\.)(tests?|__main__|conftest|conformance_adapter)(\.|$)")
_VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True)
class Parameter:
    """A parameter of a constructor, with the type that it is annotated with, where it is known."""

    name: str
    required: bool
    kind: Any

    @property
    def is_secret(self) -> bool:
        """Whether its name is that of a credential."""
        return any(word in self.name.lower().split("_") for word in SECRET_WORDS)


@dataclass(frozen=True)
class PluginClass:
    """The class whose instances are a plugin's avatars."""

    distribution: str
    version: str
    type: type

    @property
    def package(self) -> str:
        """The package that it is imported from."""
        return self.path.partition(":")[0]

    @property
    def path(self) -> str:
        """Its import path, as a manifest has it."""
        return import_path(self.type)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """What its constructor takes by name."""
        return parameters_of(self.type)


def find_plugin(distribution: str) -> PluginClass:
    """Find the avatar class of an installed distribution, which is imported.

    It derives from the host's base class, or else has an asynchronous ``start`` and ``aclose``.
    Raises `UsageError` when it is not installed, can't be imported, or has no such class.
    """
    try:
        installed = importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        raise UsageError(
            f"{distribution} is not installed here; pip install {distribution}"
        ) from None
    names = sorted(set(_modules(installed)), key=lambda name: (name.count("."), name))
    failed: Exception | None = None
    found: list[tuple[tuple[bool, bool, int], type]] = []
    for name in names:
        try:
            module = importlib.import_module(name)
        except Exception as error:  # a plugin's module may need what is not installed
            if name.count(".") == names[0].count("."):
                failed = failed or error
            continue
        found += [(_rank(each), each) for each in _avatars(module, set(names))]
    if found:
        avatar = min(found, key=lambda each: each[0])[1]
        return PluginClass(str(installed.metadata["Name"]), installed.version, avatar)
    if failed is not None:
        raise UsageError(
            f"{distribution} can't be imported: {type(failed).__name__}: {failed}"
        ) from failed
    raise UsageError(
        f"{distribution} {installed.version} has no class that derives from {BASE}, or has an "
        "asynchronous start() and aclose(); is it an avatar plugin?"
    )


def import_path(cls: type) -> str:
    """Where a class is imported from, as users do: the outermost package that has it."""
    module, name = cls.__module__, cls.__qualname__
    steps = module.split(".")
    for count in range(1, len(steps)):
        outer = sys.modules.get(".".join(steps[:count]))
        if getattr(outer, name, None) is cls:
            return f"{'.'.join(steps[:count])}:{name}"
    return f"{module}:{name}"


def parameters_of(cls: type) -> tuple[Parameter, ...]:
    """What the constructor of a class takes by name."""
    try:
        hints = typing.get_type_hints(vars(cls).get("__init__", cls))
    except Exception:  # an annotation may name what is imported for type checkers alone
        hints = {}
    try:
        signature = inspect.signature(cls)
    except (TypeError, ValueError):
        return ()
    return tuple(
        Parameter(name, each.default is each.empty, hints.get(name, each.annotation))
        for name, each in signature.parameters.items()
        if each.kind not in _VARIADIC
    )


def plain_kind(kind: Any) -> Any:
    """The type without what says that it may be missing: ``str`` of ``str | None``."""
    inner = [each for each in typing.get_args(kind) if each is not type(None)]
    named = [each for each in inner if getattr(each, "__name__", "") != "NotGiven"]
    is_union = type(kind).__name__ in ("UnionType", "_UnionGenericAlias")
    return plain_kind(named[0]) if is_union and named else kind


def is_made_of_fields(kind: Any) -> bool:
    """Whether a class is one of data, which can be made of values for its fields."""
    is_class = isinstance(kind, type) and not issubclass(kind, enum.Enum)
    return is_class and (dataclasses.is_dataclass(kind) or hasattr(kind, "model_fields"))


def _rank(avatar: type) -> tuple[bool, bool, int]:
    return (not _derives(avatar), avatar.__name__ != BASE, avatar.__module__.count("."))


def _derives(cls: type) -> bool:
    return any(
        b.__name__ == BASE and b.__module__.startswith("livekit.agents") for b in cls.__mro__
    )


def _avatars(module: Any, own: set[str]) -> Iterator[type]:
    for cls in vars(module).values():
        if isinstance(cls, type) and cls.__module__ in own and not inspect.isabstract(cls):
            acts = all(
                inspect.iscoroutinefunction(getattr(cls, name, None))
                for name in ("start", "aclose")
            )
            if acts and ("Avatar" in cls.__name__ or _derives(cls)):
                yield cls


def _modules(installed: importlib.metadata.Distribution) -> Iterator[str]:
    found = False
    for file in installed.files or ():
        if file.suffix == ".py" and "__pycache__" not in file.parts and ".." not in file.parts:
            found = True
            yield from _dotted(Path(file))
    direct = json.loads(installed.read_text("direct_url.json") or "{}")
    if not found and direct.get("dir_info", {}).get("editable"):
        root = Path(url2pathname(unquote(urlsplit(direct["url"]).path)))
        for top in (root, root / "src"):
            for package in (top / "livekit", *(f.parent for f in top.glob("*/__init__.py"))):
                for path in package.rglob("*.py"):
                    yield from _dotted(path.relative_to(top))


def _dotted(path: Path) -> Iterator[str]:
    steps = path.with_suffix("").parts
    name = ".".join(steps[:-1] if steps[-1] == "__init__" else steps)
    if name and not _LEFT_OUT.search(name) and all(step.isidentifier() for step in steps):
        yield name
