"""What a failure comes of, where it shows far from its cause.

That is wrappers that start() replaced, or requests that the adapter does not describe.
"""

from __future__ import annotations

from dataclasses import replace

from conformance.outcomes import Finding

from .bind import KEEP_WRAPPERS
from .place import not_as_described
from .registry import Check
from .scene import Scene

_OF_THE_CHAIN = ("SWAP", "PLAY")


def traced(finding: Finding, check: Check, scene: Scene) -> Finding:
    """The finding, with what it comes of as its hint where that is known."""
    objections = [text for avatar in scene.avatars for text in avatar.backend.objections]
    if objections and not finding.hint:
        return replace(finding, hint=not_as_described(objections))
    family = check.requirement.partition("-")[0]
    if not scene.instead_of_wrappers or (finding.hint and family not in _OF_THE_CHAIN):
        return finding
    lost = f"the wrappers were replaced by start(), now: {scene.instead_of_wrappers}"
    return replace(finding, hint=f"{lost}; {KEEP_WRAPPERS}")
