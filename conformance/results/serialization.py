"""A result as plain data, as it goes between processes and into the JSON report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .outcomes import Blocker, CheckId, CheckResult, Finding, HostDefectRef, Level, Outcome
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
        "blocked_by": _blocker_to_json(result.blocked_by),
        "mended_by": list(result.mended_by),
        "tried": dict(result.tried),
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
        _blocker_from_json(data["blocked_by"]),
        mended_by=tuple(data.get("mended_by", ())),
        tried=dict(data.get("tried", {})),
    )


def _blocker_to_json(blocker: Blocker | None) -> dict[str, Any] | None:
    if isinstance(blocker, HostDefectRef):
        return {"host_defect": blocker.id, "text": blocker.text}
    if blocker is None:
        return None
    return {
        "provider": blocker.provider,
        "requirement": blocker.requirement,
        "variant": blocker.variant,
    }


def _blocker_from_json(data: Mapping[str, Any] | None) -> Blocker | None:
    if data is None:
        return None
    if "host_defect" in data:
        return HostDefectRef(data["host_defect"], data["text"])
    return CheckId(data["provider"], data["requirement"], data["variant"])


def _event_to_json(event: Event) -> dict[str, Any]:
    return {
        "at": event.at,
        "lane": event.lane,
        "kind": event.kind,
        "subject": event.subject,
        "detail": dict(event.detail),
    }
