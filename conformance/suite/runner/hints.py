"""Add a root-cause hint where a failure's symptom appears far from its cause.

That is wrappers that start() replaced, or requests that the adapter does not describe.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from conformance.results.outcomes import Finding
from conformance.suite.checks.bind import KEEP_WRAPPERS
from conformance.suite.registry import Check
from conformance.suite.scene.error_site import not_as_described
from conformance.suite.scene.scene import Scene
from conformance.suite.scene.silence import nothing_heard

_OF_THE_CHAIN = ("SWAP", "PLAY")


@dataclass(frozen=True)
class SceneDiagnostics:
    """Diagnostics of a scene: what went wrong beside the failure.

    ``request_violations`` are what vendors' stand-ins had against requests;
    ``instead_of_wrappers`` is the chain without its wrappers, in words, where a start() has
    replaced them. ``nothing_heard`` says that the agent spoke and no avatar got any of it.
    """

    request_violations: Sequence[str] = ()
    instead_of_wrappers: str = ""
    nothing_heard: bool = False

    @classmethod
    def of(cls, scene: Scene) -> SceneDiagnostics:
        """The diagnostics so far."""
        request_violations = tuple(
            text for avatar in scene.avatars for text in avatar.backend.request_violations
        )
        return cls(request_violations, scene.instead_of_wrappers, nothing_heard(scene))


def with_root_cause(finding: Finding, check: Check, diagnostics: SceneDiagnostics) -> Finding:
    """The finding, with what it comes of as its hint where that is known."""
    if diagnostics.request_violations and not finding.hint:
        return replace(finding, hint=not_as_described(diagnostics.request_violations))
    family = check.requirement.partition("-")[0]
    if not diagnostics.instead_of_wrappers or (finding.hint and family not in _OF_THE_CHAIN):
        return finding
    lost = f"the wrappers were replaced by start(), now: {diagnostics.instead_of_wrappers}"
    return replace(finding, hint=f"{lost}; {KEEP_WRAPPERS}")
