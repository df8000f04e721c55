"""The host's symbols that requirements follow from, and which of them have changed.

``python -m conformance.requirements.symbols`` says what has changed on the installed host since its
last review; ``... accept`` takes the installed host's symbols as reviewed.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import inspect
import json
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.version import Version

from .catalogue import load_catalogue

_toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

FILE = Path(__file__).resolve().parent / "symbols.json"
"""``{"1.8.9": {"livekit.agents.voice.io.AudioOutput": "3f5a...", ...}, ...}``; null: not there."""

DEFECTS = FILE.with_name("host_defects.toml")

ACCEPT = "python -m conformance.requirements.symbols accept"


@dataclass(frozen=True)
class Drift:
    """A symbol that is not what it was when the requirements were last held against it.

    ``how`` says what became of it ("changed", "was removed"); ``requirements`` are the ids of what
    is about it, ``host`` is the version it was found in and ``reviewed`` the one that was reviewed.
    """

    symbol: str
    how: str
    requirements: tuple[str, ...]
    host: str
    reviewed: str

    def __str__(self) -> str:
        ids = ", ".join(self.requirements)
        return (
            f"{ids}: `{self.symbol}` {self.how} in {self.host} (reviewed: {self.reviewed}); "
            f"review, then {ACCEPT}"
        )


def sources() -> Mapping[str, tuple[str, ...]]:
    """The host's symbols, each with the requirements and known defects that are about it."""
    found: dict[str, list[str]] = {}
    for requirement in load_catalogue().values():
        if requirement.source.startswith("livekit."):
            found.setdefault(requirement.source, []).append(requirement.id)
    for defect in _toml.loads(DEFECTS.read_text("utf-8"))["defect"]:
        found.setdefault(defect["symbol"], []).append(defect["id"])
    return {symbol: tuple(ids) for symbol, ids in sorted(found.items())}


def fingerprint(symbol: str) -> str | None:
    """A digest of what ``symbol`` is on the installed host; None where it is not.

    Comments and blank lines do not count. Imports the host.
    """
    value = _resolve(symbol)
    if value is None:
        return None
    digest = hashlib.sha256()
    for line in _code(value):
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()[:16]


def reviewed_versions() -> Mapping[str, Mapping[str, str | None]]:
    """The reviews by host version, oldest first."""
    reviewed: dict[str, dict[str, str | None]] = json.loads(FILE.read_text("utf-8"))
    return dict(sorted(reviewed.items(), key=lambda item: Version(item[0])))


def drift(host: str | None = None) -> tuple[Drift, ...]:
    """Differences of the installed host from its review, or from the last one before it."""
    host = host or importlib.metadata.version("livekit-agents")
    known = reviewed_versions()
    earlier = [version for version in known if Version(version) <= Version(host)]
    base = earlier[-1] if earlier else next(iter(known))
    return tuple(
        Drift(symbol, how, ids, host, base)
        for symbol, ids in sources().items()
        if (how := _difference(known[base], symbol))
    )


def _difference(reviewed: Mapping[str, str | None], symbol: str) -> str:
    now = fingerprint(symbol)
    if symbol not in reviewed:
        return "is new to the catalogue"
    if reviewed[symbol] == now:
        return ""
    if now is None:
        return "was removed"
    return "changed" if reviewed[symbol] else "was added"


def accept() -> str:
    """Take the symbols of the installed host as reviewed; returns its version."""
    host = importlib.metadata.version("livekit-agents")
    reviewed = {**reviewed_versions(), host: {symbol: fingerprint(symbol) for symbol in sources()}}
    ordered = dict(sorted(reviewed.items(), key=lambda item: Version(item[0])))
    FILE.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
    return host


def _resolve(symbol: str) -> Any:
    parts = symbol.split(".")
    for end in range(len(parts), 0, -1):
        try:
            value: Any = importlib.import_module(".".join(parts[:end]))
        except ImportError:
            continue
        for part in parts[end:]:
            value = inspect.getattr_static(value, part, None)
        return value
    return None


def _code(value: Any) -> Iterator[str]:
    if isinstance(value, property):
        functions = [f for f in (value.fget, value.fset, value.fdel) if f is not None]
    elif isinstance(value, cached_property):
        functions = [value.func]
    else:
        functions = [inspect.unwrap(getattr(value, "__func__", value))]
    for function in functions:
        if not (inspect.isclass(function) or inspect.isroutine(function)):
            yield repr(function)
            continue
        for line in textwrap.dedent(inspect.getsource(function)).splitlines():
            code = line.rstrip()
            if code and not code.lstrip().startswith("#"):
                yield code


def _main(arguments: list[str]) -> int:
    if arguments == ["accept"]:
        print(f"the symbols of livekit-agents {accept()} are taken as reviewed, in {FILE.name}")
        return 0
    if arguments:
        print(f"usage: {ACCEPT.removesuffix(' accept')} [accept]", file=sys.stderr)
        return 2
    changed = drift()
    print("\n".join(map(str, changed)) or "nothing has changed since the last review")
    return 1 if changed else 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
