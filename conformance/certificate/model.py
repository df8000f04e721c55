"""A certificate as a value, and what follows from the run that it is about."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Literal

from conformance.results.ledger import holds, partial_because
from conformance.results.outcomes import CheckResult, Level, Outcome
from conformance.results.run import Run, SubjectRun
from conformance.results.tiers import Tier, lowest_tier
from conformance.results.verdict import verdict

KitSource = Literal["distribution", "source tree"]
Result = Literal["PASSED", "FAILED"]


@dataclass(frozen=True)
class Adapter:
    """The adapter that a provider was certified with; ``sha256`` is that of its file."""

    provider: str
    origin: str
    sha256: str


@dataclass(frozen=True)
class Certificate:
    """The content of a statement: one run of one wheel.

    ``run`` has neither texts nor timelines when the certificate was read from a file.
    ``revision_digest`` and ``suite_digest`` say which requirements and which checks it was made
    by. Times are in UTC.
    """

    wheel: str
    sha256: str
    distribution: str
    version: str
    issued: datetime.datetime
    expires: datetime.datetime
    tier: Tier
    run: Run
    revision_digest: str
    suite_digest: str
    kit_source: KitSource
    adapters: tuple[Adapter, ...]
    url: str = ""

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


def reached_tier(run: Run) -> Tier:
    """The tier of a wheel: the lowest among all its providers.

    None as well when anything at all stands in the way of a pass: an error, an open ledger, the
    kit's own endpoint.
    """
    return Tier.NONE if verdict(run).problems else lowest_tier(run)


def why_nothing(run: Run) -> tuple[str, ...]:
    """Why a run is no evidence at all, neither for nor against a provider; empty when it is.

    A run of a part, an error of the kit, and deviations that were left out.
    """
    reasons = list(partial_because(run))
    if not run.selection.whole:
        reasons.append("only a part of the requirements was asked for")
    if run.selection.without_deviations:
        reasons.append("the known deviations were left out")
    reasons += [
        f"{result.id} is an error of the kit: {' '.join(result.reason.split())}"
        for subject in run.subjects
        for result in subject.results
        if result.outcome is Outcome.ERROR and run.facts(result).scored
    ]
    return tuple(dict.fromkeys(reasons))


@dataclass(frozen=True)
class CheckLists:
    """The checks of a run as the test-result predicate sorts them; those not applicable in none."""

    passed: tuple[str, ...]
    warned: tuple[str, ...]
    failed: tuple[str, ...]


def check_lists(run: Run) -> CheckLists:
    """Passed, not held against the certificate, and held against it."""
    lists: dict[str, list[str]] = {"passed": [], "warned": [], "failed": []}
    for subject in run.subjects:
        for result in subject.results:
            if result.outcome is Outcome.NOT_APPLICABLE:
                continue
            if result.outcome is Outcome.PASSED:
                kind = "passed"
            else:
                kind = "warned" if _harmless(run, subject, result) else "failed"
            lists[kind].append(str(result.id))
    return CheckLists(*(tuple(lists[kind]) for kind in ("passed", "warned", "failed")))


def result_word(reached: Tier) -> Result:
    """The result as the test-result predicate knows it: passed for a tier, and for nothing else."""
    return "FAILED" if reached is Tier.NONE else "PASSED"


def latest_expiry(run: Run, issued: datetime.datetime, days: int) -> datetime.datetime:
    """When a certificate ends: after ``days``, or with the first deviation that it leans on."""
    ends = [issued + datetime.timedelta(days=days)]
    ends += [
        _end_of_day(use.expires)
        for subject in run.subjects
        for use in subject.deviations
        if use.state == "used"
    ]
    return min(ends)


def _end_of_day(day: str) -> datetime.datetime:
    midnight = datetime.datetime.fromisoformat(f"{day}T23:59:59")
    return midnight.replace(tzinfo=datetime.timezone.utc)


def _harmless(run: Run, subject: SubjectRun, result: CheckResult) -> bool:
    if not run.facts(result).scored or holds(subject, result):
        return True
    if result.outcome is Outcome.ERROR:
        return False
    return result.level is Level.SHOULD or subject.kind == "host"
