"""A small run as a value, for tests of what is made from one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.results.outcomes import CheckId, CheckResult, Finding, Level, Outcome
from conformance.results.run import (
    DeviationUse,
    RequirementFacts,
    Run,
    Selection,
    SubjectRun,
    Timing,
)
from conformance.results.timeline import Event

REQUIREMENTS = {
    facts.id: facts
    for facts in (
        RequirementFacts(
            "HOST-01", "HOST", Level.MUST, "One swap point is inserted", tier="swap-safe"
        ),
        RequirementFacts(
            "BIND-01", "BIND", Level.MUST, "start() binds exactly one tail", tier="swap-safe"
        ),
        RequirementFacts(
            "SWAP-01",
            "SWAP",
            Level.MUST,
            "The next segment is whole",
            hint="wait",
            tier="swap-safe",
        ),
        RequirementFacts(
            "UNBIND-05", "UNBIND", Level.SHOULD, "The session is ended", tier="robust"
        ),
        RequirementFacts("SEC-09", "SEC", Level.MUST, "Too new to be scored", scored=False),
    )
}
EVENTS = (
    Event(0.5, "agent", "said", "", {"seconds": 1.0}),
    Event(1.5, "tail", "bound", "new", {"rate": 24000}),
    Event(9.0, "worker", "left", "old", {}),
)
CHECKS = ("BIND-01", "SWAP-01[a]", "SWAP-01[b]", "UNBIND-05")


def result(
    check: str, outcome: Outcome = Outcome.PASSED, *, provider: str = "acme", **changes: Any
) -> CheckResult:
    """One result; ``check`` reads ``SWAP-01[a]``."""
    requirement, _, variant = check.partition("[")
    values: dict[str, Any] = {"events": EVENTS, "simulated_seconds": 9.0, **changes}
    if outcome is Outcome.FAILED:
        values.setdefault("finding", Finding("a tail", "no tail", "bind one", 1.5))
    elif outcome is not Outcome.PASSED:
        values.setdefault("reason", f"why it is {outcome.value}")
    if outcome is Outcome.BLOCKED:
        values.setdefault("blocked_by", CheckId(provider, "BIND-01"))
    return CheckResult(
        CheckId(provider, requirement, variant.rstrip("]") or None),
        values.pop("level", REQUIREMENTS[requirement].level),
        outcome,
        **values,
    )


def subject(
    results: Sequence[CheckResult],
    *,
    name: str = "acme",
    expected: Sequence[str] = CHECKS,
    deviations: Sequence[DeviationUse] = (),
) -> SubjectRun:
    """A provider, or the host or the endpoint by their names, that was asked ``expected``."""
    kind: Any = name if name in ("host", "endpoint") else "provider"
    return SubjectRun(
        name=name,
        kind=kind,
        expected=tuple(result(check, provider=name).id for check in expected),
        results=tuple(results),
        origin="bundled" if kind == "provider" else None,
        distribution=f"livekit-plugins-{name}" if kind == "provider" else None,
        version="1.0" if kind == "provider" else None,
        manifest={"name": name} if kind == "provider" else None,
        deviations=tuple(deviations),
    )


def run(*subjects: SubjectRun, **changes: Any) -> Run:
    """A run of these subjects."""
    values: dict[str, Any] = {
        "kit": "0.1.0",
        "revision": "2026.1",
        "python": "3.11.7",
        "host": {"livekit-agents": "1.8.9"},
        "stage": "loopback",
        "seed": None,
        "selection": Selection(tuple(s.name for s in subjects if s.kind == "provider")),
        "requirements": REQUIREMENTS,
        "subjects": subjects,
        "timing": Timing(
            "2026-11-23T08:00:00.000+00:00",
            "2026-11-23T08:00:02.500+00:00",
            {"acme::BIND-01": 0.25},
        ),
        **changes,
    }
    return Run(**values)


def acme(outcomes: Mapping[str, Outcome] | None = None, **changes: Any) -> Run:
    """A run of one provider in which everything passes but what ``outcomes`` says."""
    given = outcomes or {}
    results = [result(check, given.get(check, Outcome.PASSED)) for check in CHECKS]
    return run(subject(results), **changes)
