"""List the providers of an environment: run there, with ``python -m``.

Prints one line of JSON: the providers of a distribution that were found, with their adapters.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from .digests import file_digest

SURVEY = '{"found": '
"""How the line begins."""


@dataclass(frozen=True)
class Found:
    """A provider of the distribution; ``sha256`` is that of its adapter's file."""

    name: str
    distribution: str
    version: str
    origin: str
    sha256: str


@dataclass(frozen=True)
class Survey:
    """The providers of a distribution, and the adapters that cannot be used, one line each."""

    found: tuple[Found, ...]
    problems: tuple[str, ...]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Survey:
        """The survey that `main` has printed.

        Raises `ValueError` for anything else: the environment that it was printed in is not to be
        trusted.
        """
        try:
            found = tuple(Found(**entry) for entry in data["found"])
            problems = tuple(data["problems"])
        except (TypeError, KeyError, AttributeError):
            raise ValueError("the list of providers is not as the kit writes it") from None
        texts = [text for each in found for text in astuple(each)]
        if not all(isinstance(text, str) and text.isprintable() for text in (*texts, *problems)):
            raise ValueError("the list of providers holds what is no text")
        return cls(found, problems)


def survey(distribution: str, rootdir: Path) -> Survey:
    """Look for the providers of ``distribution``, with an adapter in ``rootdir`` or installed."""
    from conformance.plugin.discovery import discover

    discovered = discover(rootdir=rootdir)
    wanted = canonicalize_name(distribution)
    found = tuple(
        Found(
            provider.name,
            provider.manifest.distribution,
            provider.installed_version or "",
            provider.origin,
            file_digest(Path(provider.adapter_file)) if provider.adapter_file else "0" * 64,
        )
        for provider in discovered.providers.values()
        if canonicalize_name(provider.manifest.distribution) == wanted
    )
    problems = tuple(
        str(problem.error) for problem in discovered.problems if problem.source != "bundled"
    )
    return Survey(found, problems)


def main() -> None:
    """Print the survey of the distribution that the first argument names."""
    print(json.dumps(asdict(survey(sys.argv[1], Path.cwd()))))


if __name__ == "__main__":
    main()
