"""The ledger: how many checks should have run, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .outcomes import CheckId, CheckResult, HostDefectRef, Outcome
from .run import Run, SubjectRun


@dataclass(frozen=True)
class Ledger:
    """The account of one subject. It closes when every expected check has exactly one outcome."""

    expected: int
    counts: Mapping[Outcome, int]
    missing: tuple[CheckId, ...] = ()

    @property
    def closed(self) -> bool:
        """Whether expected equals the sum of the outcomes."""
        return not self.missing and self.expected == sum(self.counts.values())

    def __str__(self) -> str:
        parts = [f"{self.counts[outcome]} {outcome.value}" for outcome in Outcome]
        if self.missing:
            parts.append(f"{len(self.missing)} not run")
        return f"expected {self.expected} = " + " + ".join(parts)


def ledger(subject: SubjectRun) -> Ledger:
    """The account of one subject."""
    counts = dict.fromkeys(Outcome, 0)
    for result in subject.results:
        counts[result.outcome] += 1
    ran = {result.id for result in subject.results}
    missing = tuple(check_id for check_id in subject.expected if check_id not in ran)
    return Ledger(len(subject.expected), counts, missing)


def partial_because(run: Run) -> tuple[str, ...]:
    """Why the run is partial, and so certifies nothing; empty when it is complete."""
    reasons = list(run.gaps)
    for subject in run.subjects:
        missing = ledger(subject).missing
        if missing:
            first = ", ".join(str(check_id) for check_id in missing[:3])
            more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
            reasons.append(f"{subject.name}: {len(missing)} checks not run: {first}{more}")
        if not subject.expected:
            reasons.append(f"{subject.name}: no check applies to it")
    return tuple(reasons)


def excused(subject: SubjectRun, result: CheckResult) -> bool:
    """Whether a blocked result is excused.

    It is blocked by somebody else, the host or the other provider in a swap, who answers for it; or
    by a failure of the subject's own that a deviation lists.
    """
    by = result.blocked_by
    if by is None:
        return False
    if isinstance(by, HostDefectRef):
        return True
    if by.provider != subject.name:
        return result.of_pair_with(by.provider)
    outcomes = subject.outcomes_of(by)
    harmless = {Outcome.EXPECTED_FAILURE, Outcome.PASSED, Outcome.NOT_APPLICABLE}
    return Outcome.EXPECTED_FAILURE in outcomes and harmless.issuperset(outcomes)


def holds(subject: SubjectRun, result: CheckResult) -> bool:
    """Whether a result keeps the gate open: nothing got worse by it."""
    if result.outcome is Outcome.BLOCKED:
        return excused(subject, result)
    return not result.outcome.unexpected
