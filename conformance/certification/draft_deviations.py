"""A baseline drafted from a report: its failures as deviations, for somebody to answer for."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.results.outcomes import CheckResult, Outcome
from conformance.results.run import DeviationUse, Run, SubjectRun, providers

_SHORTEST_REASON = 20
_LONGEST_REASON = 400


def draft_baseline(
    run: Run, *, owner: str, expires: datetime.date, reason: str = "", reference: str = ""
) -> str:
    """A deviations file for what fails in a run, with what it already used of another file.

    Without ``reason`` each says what was observed. Without ``reference`` each has an empty one, and
    a run refuses the file until somebody has filled it in.
    """
    entries = []
    for subject in providers(run):
        for use in subject.deviations:
            if use.state == "used" and use.origin != subject.origin:
                entries.append(_kept(subject, use))
        for requirement, results in _failed(subject).items():
            entries.append(
                {
                    "provider": subject.name,
                    "requirement": requirement,
                    "reason": reason or _observed(results[0]),
                    "reference": reference,
                    "owner": owner,
                    "expires": expires.isoformat(),
                    "host": "",
                    "plugin": "",
                    "variants": _variants(subject, requirement, results),
                }
            )
    return json.dumps({"deviations": entries}, indent=1, ensure_ascii=False) + "\n"


def _failed(subject: SubjectRun) -> Mapping[str, list[CheckResult]]:
    found: dict[str, list[CheckResult]] = {}
    for result in subject.results:
        if result.outcome is Outcome.FAILED:
            found.setdefault(result.id.requirement, []).append(result)
    return found


def _variants(subject: SubjectRun, requirement: str, failed: list[CheckResult]) -> list[str]:
    others = [
        result
        for result in subject.results
        if result.id.requirement == requirement and result.outcome is not Outcome.FAILED
    ]
    return sorted(_names(failed)) if others else []


def _names(results: list[CheckResult]) -> Iterator[str]:
    return (result.id.variant for result in results if result.id.variant)


def _observed(result: CheckResult) -> str:
    finding = result.finding
    text = f"expected {finding.expected}; observed {finding.observed}" if finding else result.reason
    line = " ".join(text.split())
    if len(line) > _LONGEST_REASON:
        return f"{line[: _LONGEST_REASON - 3]}..."
    return (
        line if len(line) >= _SHORTEST_REASON else f"it fails, as observed: {line}".ljust(20, ".")
    )


def _kept(subject: SubjectRun, use: DeviationUse) -> dict[str, Any]:
    return {
        "provider": subject.name,
        "requirement": use.requirement,
        "reason": use.reason,
        "reference": use.reference,
        "owner": use.owner,
        "expires": use.expires,
        "host": use.host,
        "plugin": use.plugin,
        "variants": list(use.variants),
    }
