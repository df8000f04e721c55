"""What a failure comes of, where it shows far from its cause: wrappers that start() replaced."""

from __future__ import annotations

from dataclasses import replace

from conformance.outcomes import Finding

from .bind import KEEP_WRAPPERS
from .registry import Check
from .scene import Scene

_OF_THE_CHAIN = ("SWAP", "PLAY")


def traced(finding: Finding, check: Check, scene: Scene) -> Finding:
    """The finding, with lost wrappers as its hint where they are what it comes of."""
    family = check.requirement.partition("-")[0]
    if not scene.instead_of_wrappers or (finding.hint and family not in _OF_THE_CHAIN):
        return finding
    lost = f"the wrappers were replaced by start(), now: {scene.instead_of_wrappers}"
    return replace(finding, hint=f"{lost}; {KEEP_WRAPPERS}")
