"""Data files of the kit: JSON Schemas and the plugin template, in a checkout or a wheel."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import KitError

_PACKAGE = Path(__file__).resolve().parent

ADAPTER_FILE = "conformance_adapter.py"
"""The adapter of a repository, in its root."""


def schema(name: str) -> Mapping[str, Any]:
    """The JSON Schema ``name`` (``manifest``, ``deviations``, ...); treat it as read-only.

    Raises `KitError` when there is no schema of that name.
    """
    return _read_schema(name)


def schemas_dir() -> Path:
    """The directory of the JSON Schemas."""
    return _directory("schemas")


def templates_dir() -> Path:
    """The directory of the plugin template."""
    return _directory("templates")


@functools.cache
def _read_schema(name: str) -> Mapping[str, Any]:
    path = schemas_dir() / f"{name}.schema.json"
    if not path.is_file():
        known = sorted(p.name.split(".")[0] for p in schemas_dir().glob("*.schema.json"))
        raise KitError(f"no schema {name!r}; there are: {', '.join(known)}")
    loaded: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return loaded


def _directory(name: str) -> Path:
    # A wheel carries the directory inside the package; in a checkout it is beside the package.
    for candidate in (_PACKAGE / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise KitError(f"the kit's {name}/ is missing; install avatar-conformance again")
