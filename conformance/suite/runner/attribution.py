"""Whose fault a failure is: the provider's, the host's, or the other provider's in a swap."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from conformance.plugin.provider import Provider
from conformance.requirements.host_defects import defect_behind
from conformance.results.outcomes import CheckResult, Outcome
from conformance.suite.registry import Check

from .reference import reference_provider

Verdict = Callable[[Provider], CheckResult]
"""The verdict on another provider for the same check, that one in both parts of a swap."""

_LABEL = re.compile(r"the [\w-]+ avatar\b")


def judged(
    result: CheckResult, check: Check, provider: Provider, other: Provider | None, verdict: Verdict
) -> CheckResult:
    """What a failed ``result`` is worth; ``other`` is the provider that was swapped in, if any.

    Blocked by the host where the reference provider fails at the same expectation and a known
    defect of the host explains it; blocked by the other provider where that one fails even with
    itself; an error where the reference provider fails for no known reason.
    """
    if result.outcome is not Outcome.FAILED or check.requirement.startswith("META-"):
        return result
    reference = verdict(reference_provider())
    if reference.outcome is Outcome.FAILED and _same_assertion(result, reference):
        return _with_host(result, reference, provider)
    if other is not None and other.name != provider.name:
        alone = verdict(other)
        if alone.outcome is Outcome.FAILED:
            return replace(
                result,
                outcome=Outcome.BLOCKED,
                reason=f"{other.name} fails this check with itself too: {alone.id}",
                reference=str(alone.id),
            )
    return result


def blocked_by_failed_start(result: CheckResult, start: CheckResult) -> CheckResult:
    """A failed ``result`` blocked by the check of ``start()`` itself, where that fails alike.

    A ``start()`` that never works is one failure, not one of every check that needs an avatar.
    """
    if result.outcome is not Outcome.FAILED or result.id == start.id:
        return result
    if start.outcome is not Outcome.FAILED or _words(result) != _words(start):
        return result
    assert result.finding is not None
    return replace(
        result,
        outcome=Outcome.BLOCKED,
        finding=None,
        reason=f"{start.id} fails alike: {result.finding.observed}",
        reference=str(start.id),
    )


def _words(result: CheckResult) -> tuple[str, str] | None:
    """What was expected and observed, whatever the check calls its avatar."""
    if result.finding is None:
        return None
    return _LABEL.sub("the avatar", result.finding.expected), result.finding.observed


def _with_host(result: CheckResult, reference: CheckResult, provider: Provider) -> CheckResult:
    """What a failure is worth that the reference provider shows as well."""
    defect = defect_behind(result.id)
    if defect is None:
        why = reference.finding.observed if reference.finding is not None else ""
        return replace(
            result,
            outcome=Outcome.ERROR,
            reason=f"the reference provider fails {reference.id} too, and no known defect of the "
            f"host explains it: {why}",
        )
    if provider.manifest.transport not in defect.transports:
        return result
    return replace(
        result,
        outcome=Outcome.BLOCKED,
        reason=f"host defect {defect.id} of livekit-agents: {defect.text}",
        reference=f"host::{defect.id}",
    )


def _same_assertion(result: CheckResult, reference: CheckResult) -> bool:
    """Whether both failed at the same expectation of a check, figures and names aside."""
    words = [
        re.sub(r"[\d.]+|'[^']*'", "#", r.finding.expected) if r.finding is not None else ""
        for r in (result, reference)
    ]
    return words[0] == words[1]
