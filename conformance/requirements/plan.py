"""The plan of a revision: the checks that every run of it has, and which may be not applicable."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.errors import KitError

from .revision import CURRENT

PLANS = Path(__file__).resolve().parent / "plans"
_OF_A_PAIR = "to-*"


@dataclass(frozen=True)
class PlannedRequirement:
    """The checks of one requirement.

    ``exempt`` says that a rule may make some of them not applicable, ``virtual_time`` that they
    are not applicable to a plugin that is judged in real time.
    """

    variants: tuple[str, ...]
    exempt: bool
    virtual_time: bool

    def ids(self, requirement: str, providers: Iterable[str]) -> tuple[str, ...]:
        """The checks of a subject in a run of ``providers``: ``SWAP-01[close-then-start]``."""
        variants = [v for v in self.variants if v != _OF_A_PAIR]
        if _OF_A_PAIR in self.variants:
            variants += [f"to-{name}" for name in providers]
        return tuple(f"{requirement}[{v}]" for v in variants) or (requirement,)


@functools.cache
def load_plan(revision: str = CURRENT) -> Mapping[str, PlannedRequirement]:
    """The plan of a revision, by requirement; raises `KitError` when there is none."""
    path = PLANS / f"{revision}.json"
    if not path.is_file():
        raise KitError(f"no plan of the revision {revision!r}")
    data = json.loads(path.read_text("utf-8"))
    return {
        name: PlannedRequirement(tuple(entry["variants"]), entry["exempt"], entry["virtual_time"])
        for name, entry in data["checks"].items()
    }
