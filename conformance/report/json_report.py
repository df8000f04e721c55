"""The JSON report: ``schemas/report.schema.json`` describes it."""

from __future__ import annotations

import json
from typing import Any

from conformance.results.ledger import Ledger, ledger, partial_because
from conformance.results.outcomes import CheckResult, Outcome
from conformance.results.run import DeviationUse, RequirementFacts, Run, SubjectRun
from conformance.results.serialization import result_to_json
from conformance.results.tiers import standing
from conformance.results.verdict import passes_gate, verdict

FORMAT = 1


def to_json(run: Run) -> dict[str, Any]:
    """The report as JSON values. Two equal runs differ only under ``timing``."""
    reasons = partial_because(run)
    judged = verdict(run)
    return {
        "format": FORMAT,
        "kit": run.kit,
        "revision": run.revision,
        "python": run.python,
        "host": dict(run.host),
        "stage": run.stage,
        "seed": run.seed,
        "selection": {
            "whole": run.selection.whole,
            "providers": list(run.selection.providers),
            "requirements": list(run.selection.requirements),
            "level": run.selection.level.value if run.selection.level else None,
            "checks": list(run.selection.checks),
            "without_deviations": run.selection.without_deviations,
            "exchange": run.selection.exchange,
        },
        "partial": bool(reasons),
        "why_partial": list(reasons),
        "verdict": {
            "exit_code": judged.exit_code,
            "required_tier": run.required_tier,
            "problems": list(judged.problems),
            "host_defects": list(judged.host_defects),
        },
        "requirements": [_facts(facts) for facts in run.requirements.values()],
        "subjects": [_subject(run, subject) for subject in run.subjects],
        "timing": {
            "started": run.timing.started,
            "finished": run.timing.finished,
            "checks": dict(run.timing.checks),
        },
        # The last key of all: a report that was cut off does not have it.
        "complete": True,
    }


def render(run: Run) -> str:
    """The report as text."""
    return json.dumps(to_json(run), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _facts(facts: RequirementFacts) -> dict[str, Any]:
    return {
        "id": facts.id,
        "family": facts.family,
        "level": facts.level.value,
        "text": facts.text,
        "why": facts.why,
        "hint": facts.hint,
        "source": facts.source,
        "capability": facts.capability,
        "scored": facts.scored,
        "tier": facts.tier,
    }


def _subject(run: Run, subject: SubjectRun) -> dict[str, Any]:
    return {
        "name": subject.name,
        "kind": subject.kind,
        "origin": subject.origin,
        "distribution": subject.distribution,
        "version": subject.version,
        "manifest": None if subject.manifest is None else dict(subject.manifest),
        **_standing(run, subject),
        "ledger": _ledger(ledger(subject)),
        "deviations": [deviation_to_json(use) for use in subject.deviations],
        "results": [_result(run, result) for result in subject.results],
    }


def _standing(run: Run, subject: SubjectRun) -> dict[str, Any]:
    if subject.kind != "provider":
        return {"tier": None, "gate": None, "missing_for_next_tier": []}
    earned = standing(run, subject)
    return {
        "tier": earned.tier.value,
        "gate": "passed" if passes_gate(run, subject) else "failed",
        "missing_for_next_tier": list(earned.missing),
    }


def _ledger(account: Ledger) -> dict[str, Any]:
    return {
        "expected": account.expected,
        **{outcome.value: count for outcome, count in account.counts.items()},
        "missing": [str(check_id) for check_id in account.missing],
        "closed": account.closed,
    }


def _result(run: Run, result: CheckResult) -> dict[str, Any]:
    return {
        **result_to_json(result, events=result.outcome is not Outcome.PASSED),
        "repeat": run.repeat(result.id),
    }


def deviation_to_json(use: DeviationUse) -> dict[str, Any]:
    """The use of a deviation, as JSON."""
    return {
        "requirement": use.requirement,
        "variants": list(use.variants),
        "reason": use.reason,
        "reference": use.reference,
        "owner": use.owner,
        "expires": use.expires,
        "host": use.host,
        "plugin": use.plugin,
        "origin": use.origin,
        "state": use.state,
        "passing": list(use.passing),
    }
