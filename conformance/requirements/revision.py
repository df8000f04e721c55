"""Revisions: which requirements count, and what each of them said when it was frozen.

``python -m conformance.requirements.freeze`` writes the current one.
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.errors import KitError
from conformance.results.outcomes import Level

CURRENT = "2026.1"
"""The revision that certificates are made by."""
CURRENT_DEPLOYED = f"{CURRENT}-deployed"
"""The one that deployed avatars are judged by."""

REVISIONS = Path(__file__).resolve().parent / "revisions"


@dataclass(frozen=True)
class Frozen:
    """A requirement as a revision freezes it: its level, and the digest of its text."""

    level: Level
    text: str


@dataclass(frozen=True)
class Revision:
    """A frozen set of requirements, by id."""

    name: str
    requirements: Mapping[str, Frozen]


@functools.cache
def load_revision(name: str = CURRENT) -> Revision:
    """Read a frozen revision; raises `KitError` when there is none of that name."""
    path = REVISIONS / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in REVISIONS.glob("*.json")))
        raise KitError(f"no revision {name!r} of the requirements; there are: {known}")
    data = json.loads(path.read_text("utf-8"))
    return Revision(
        data["revision"],
        {
            requirement: Frozen(Level(entry["level"]), entry["text"])
            for requirement, entry in data["requirements"].items()
        },
    )


def text_digest(text: str) -> str:
    """The digest of a requirement's text that a revision keeps."""
    return "sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest()
