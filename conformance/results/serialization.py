"""A result as plain data, as it goes between processes and into the JSON report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .outcomes import CheckId, CheckResult, Finding, Level, Outcome
from .timeline import Event


def result_to_json(result: CheckResult, *, events: bool = True) -> dict[str, Any]:
    """The result as JSON values; without its timeline when ``events`` is false."""
    finding = result.finding
    return {
        "id": str(result.id),
        "provider": result.id.provider,
        "requirement": result.id.requirement,
        "variant": result.id.variant,
        "level": result.level.value,
        "outcome": result.outcome.value,
        "finding": None
        if finding is None
        else {
            "expected": finding.expected,
            "observed": finding.observed,
            "hint": finding.hint,
            "at": finding.at,
        },
        "reason": result.reason,
        "reference": result.reference,
        "simulated_seconds": result.simulated_seconds,
        "events": [_event_to_json(event) for event in result.events] if events else [],
    }


def result_from_json(data: Mapping[str, Any]) -> CheckResult:
    """The result again; raises `KeyError`, `TypeError` or `ValueError` for data that is none."""
    finding = data["finding"]
    return CheckResult(
        CheckId(data["provider"], data["requirement"], data["variant"]),
        Level(data["level"]),
        Outcome(data["outcome"]),
        None
        if finding is None
        else Finding(finding["expected"], finding["observed"], finding["hint"], finding["at"]),
        data["reason"],
        data["reference"],
        tuple(
            Event(e["at"], e["lane"], e["kind"], e["subject"], dict(e["detail"]))
            for e in data["events"]
        ),
        data["simulated_seconds"],
    )


def _event_to_json(event: Event) -> dict[str, Any]:
    return {
        "at": event.at,
        "lane": event.lane,
        "kind": event.kind,
        "subject": event.subject,
        "detail": dict(event.detail),
    }
