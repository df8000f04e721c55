"""The results in the Common Test Report Format (https://ctrf.io, specification 0.1.0)."""

from __future__ import annotations

import datetime
import json
import uuid
from typing import Any

from conformance.results.ledger import holds
from conformance.results.outcomes import CheckResult, Outcome
from conformance.results.run import Run, SubjectRun
from conformance.results.verdict import verdict

from .failure_text import failure_text

SPEC_VERSION = "0.1.0"
_NAMESPACE = uuid.UUID("6c0b7b39-6b4a-5d0e-9a7e-5f3e1c1f2a10")


def render(run: Run) -> str:
    """The report as text."""
    return json.dumps(to_json(run), indent=1, ensure_ascii=False) + "\n"


def to_json(run: Run) -> dict[str, Any]:
    """The report as JSON values; a check that did not run is ``pending``."""
    tests: list[dict[str, Any]] = []
    for subject in run.subjects:
        ran = {result.id for result in subject.results}
        tests += [_test(run, subject, result) for result in subject.results]
        tests += [
            {"name": str(i), "status": "pending", "duration": 0, "suite": [subject.name]}
            for i in subject.expected
            if i not in ran
        ]
    counts = {
        status: sum(test["status"] == status for test in tests)
        for status in ("passed", "failed", "pending", "skipped", "other")
    }
    start, stop = _milliseconds(run.timing.started), _milliseconds(run.timing.finished)
    summary = {"tests": len(tests), **counts, "start": start, "stop": stop}
    identity = "/".join([run.kit, run.revision, run.timing.started, *run.selection.providers])
    return {
        "reportFormat": "CTRF",
        "specVersion": SPEC_VERSION,
        "reportId": str(uuid.uuid5(_NAMESPACE, identity)),
        "timestamp": run.timing.finished,
        "generatedBy": f"avatar-conformance {run.kit}",
        "results": {
            "tool": {"name": "avatar-conformance", "version": run.kit},
            "summary": summary,
            "tests": tests,
            "environment": {
                "healthy": not verdict(run).problems,
                "extra": {"python": run.python, "revision": run.revision, **run.host},
            },
        },
    }


def _test(run: Run, subject: SubjectRun, result: CheckResult) -> dict[str, Any]:
    facts = run.facts(result)
    test: dict[str, Any] = {
        "name": str(result.id),
        "status": _status(subject, result),
        "duration": round(run.timing.checks.get(str(result.id), 0.0) * 1000),
        "suite": [subject.name, facts.family],
        "rawStatus": result.outcome.value,
        "tags": [facts.id, facts.level.value],
        "type": "conformance",
        "extra": {
            "requirement": facts.id,
            "level": facts.level.value,
            "capability": facts.capability,
            "scored": facts.scored,
        },
    }
    if result.outcome is not Outcome.PASSED:
        test["message"] = result.finding.observed if result.finding else result.reason
    if result.outcome in (Outcome.FAILED, Outcome.ERROR):
        test["trace"] = failure_text(result, facts, run.repeat(result.id))
    return test


def _status(subject: SubjectRun, result: CheckResult) -> str:
    if result.outcome is Outcome.PASSED:
        return "passed"
    if result.outcome is Outcome.NOT_APPLICABLE:
        return "skipped"
    if holds(subject, result):
        return "other"
    return "failed"


def _milliseconds(moment: str) -> int:
    return round(datetime.datetime.fromisoformat(moment).timestamp() * 1000) if moment else 0
