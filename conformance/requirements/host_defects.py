"""The known defects of the host: why a check may be blocked for every provider."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from packaging.specifiers import SpecifierSet

import conformance.requirements
from conformance import host
from conformance.plugin.manifest import Transport
from conformance.results.outcomes import CheckId

_toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")


@dataclass(frozen=True)
class HostDefect:
    """A defect of livekit-agents.

    ``checks`` are requirement ids, with a variant where only that one is affected; a ``*`` stands
    for anything. ``hosts`` is a specifier of versions; ``symbol`` is where in the host it is.
    ``transports`` are the ones that it concerns. ``no_mend`` says why it can have no mend.
    """

    id: str
    checks: tuple[str, ...]
    hosts: str
    symbol: str
    text: str
    workaround: str
    transports: tuple[Transport, ...] = ("bytestream", "websocket", "in-process")
    no_mend: str = ""

    def explains(self, check: CheckId, host_version: str) -> bool:
        """Whether it makes ``check`` fail on that host, for any provider."""
        name = check.requirement
        named = name if check.variant is None else f"{name}[{check.variant}]"
        listed = any(_covers(pattern, name, named) for pattern in self.checks)
        return listed and SpecifierSet(self.hosts).contains(host_version, prereleases=True)


@cache
def host_defects() -> tuple[HostDefect, ...]:
    """Every known defect."""
    path = Path(str(conformance.requirements.__file__)).parent / "host_defects.toml"
    listed = _toml.loads(path.read_text(encoding="utf-8"))["defect"]
    return tuple(HostDefect(**_with_tuples(entry)) for entry in listed)


def _with_tuples(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}


def defect_behind(check: CheckId, *, besides: tuple[str, ...] = ()) -> HostDefect | None:
    """The known defect of the installed host that makes ``check`` fail, if there is one.

    ``besides`` are the ids of those that are mended.
    """
    installed = host.version()
    return next(
        (d for d in host_defects() if d.id not in besides and d.explains(check, installed)), None
    )


def of_installed_host() -> tuple[HostDefect, ...]:
    """The known defects that the installed host has."""
    installed = host.version()
    return tuple(
        defect
        for defect in host_defects()
        if SpecifierSet(defect.hosts).contains(installed, prereleases=True)
    )


def _covers(pattern: str, *names: str) -> bool:
    """Whether ``pattern`` matches a name in whole; brackets mean themselves in it."""
    expression = re.escape(pattern).replace(r"\*", ".*")
    return any(re.fullmatch(expression, name) for name in names)
