"""Data of the page's script: every check, and the timelines that are kept, as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from conformance.results.display_state import State, state_of
from conformance.results.outcomes import CheckId, CheckResult, Outcome
from conformance.results.run import Run, SubjectRun
from conformance.results.timeline import Event

WITH_TIMELINE = ("SWAP", "HOST")
"""Families whose checks keep their timeline in the page when they pass; others when they don't."""

_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def for_script(value: object) -> str:
    """``value`` as JSON that may stand in a script element, whatever text is in it."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPES)


def page_data(run: Run) -> dict[str, Any]:
    """The data of the page. Words and details that come often are in there once."""
    table = _Table()
    return {
        "requirements": {
            facts.id: {
                "family": facts.family,
                "level": facts.level.name,
                "text": facts.text,
                "why": facts.why,
                "hint": facts.hint,
                "source": facts.source,
                "scored": facts.scored,
            }
            for facts in run.requirements.values()
        },
        "words": {state.value: state.word for state in State},
        "checks": {subject.name: _checks(run, subject, table) for subject in run.subjects},
        "strings": table.strings,
        "details": table.details,
    }


def keeps_timeline(result: CheckResult, family: str) -> bool:
    """Whether the page has the timeline of ``result``."""
    return result.outcome is not Outcome.PASSED or family in WITH_TIMELINE


class _Table:
    """Gives each distinct string and each distinct detail a number."""

    def __init__(self) -> None:
        self.strings: list[str] = []
        self.details: list[Mapping[str, Any]] = []
        self._known: dict[str, int] = {}
        self._seen: dict[str, int] = {}

    def string(self, text: str) -> int:
        if text not in self._known:
            self._known[text] = len(self.strings)
            self.strings.append(text)
        return self._known[text]

    def detail(self, detail: Mapping[str, Any]) -> int:
        key = json.dumps(detail)
        if key not in self._seen:
            self._seen[key] = len(self.details)
            self.details.append(dict(detail))
        return self._seen[key]

    def event(self, event: Event) -> list[float]:
        return [
            event.at,
            self.string(event.lane),
            self.string(event.kind),
            self.string(event.subject),
            self.detail(event.detail),
        ]


def _checks(run: Run, subject: SubjectRun, table: _Table) -> dict[str, list[dict[str, Any]]]:
    checks: dict[str, list[dict[str, Any]]] = {}
    ran = {result.id: result for result in subject.results}
    for check_id in dict.fromkeys((*subject.expected, *ran)):
        result = ran.get(check_id)
        data = _not_run(check_id) if result is None else _check(run, result, table)
        data["repeat"] = run.repeat(check_id)
        checks.setdefault(check_id.requirement, []).append(data)
    return checks


def _not_run(check_id: CheckId) -> dict[str, Any]:
    return {"id": str(check_id), "variant": check_id.variant, "state": State.NOT_RUN.value}


def _check(run: Run, result: CheckResult, table: _Table) -> dict[str, Any]:
    data: dict[str, Any] = {
        "id": str(result.id),
        "variant": result.id.variant,
        "state": state_of(result).value,
        "seconds": result.simulated_seconds,
    }
    if result.finding is not None:
        data["finding"] = {
            "expected": result.finding.expected,
            "observed": result.finding.observed,
            "hint": result.finding.hint,
            "at": result.finding.at,
        }
    if result.reason:
        data["reason"] = result.reason
    if result.reference:
        data["reference"] = result.reference
    if keeps_timeline(result, run.facts(result).family):
        data["events"] = [table.event(event) for event in result.events]
    return data
