"""The ledger: how many checks should have run, what became of them, and what that certifies."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from .outcomes import CheckId, CheckResult, HostDefectRef, Level, Outcome
from .run import Run, SubjectRun


class Tier(enum.Enum):
    """What a provider is certified as."""

    NONE = "none"
    SWAP_SAFE = "swap-safe"
    ROBUST = "robust"


TIERS = (Tier.NONE, Tier.SWAP_SAFE, Tier.ROBUST)
"""Every tier, the lowest first."""


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


CORE_REQUIREMENTS = ("SWAP-01", "SWAP-02")
"""What swap-safe means before all else: swapped while idle, and in the middle of a segment."""


def excused(subject: SubjectRun, result: CheckResult) -> bool:
    """Whether a blocked result is held against nobody.

    It is blocked by somebody else, the host or the other provider in a swap, who answers for it; or
    by a failure of the subject's own that a deviation lists.
    """
    by = result.blocked_by
    if by is None:
        return False
    if isinstance(by, HostDefectRef) or by.provider != subject.name:
        return True
    outcomes = [
        other.outcome
        for other in subject.results
        if by in (other.id, CheckId(other.id.provider, other.id.requirement))
    ]
    harmless = {Outcome.EXPECTED_FAILURE, Outcome.PASSED, Outcome.NOT_APPLICABLE}
    return Outcome.EXPECTED_FAILURE in outcomes and harmless.issuperset(outcomes)


def holds(subject: SubjectRun, result: CheckResult) -> bool:
    """Whether a result meets its requirement as far as a certificate is concerned."""
    if result.outcome is Outcome.BLOCKED:
        return excused(subject, result)
    return result.outcome not in (Outcome.FAILED, Outcome.ERROR)


def unjudged_swaps(results: Iterable[CheckResult]) -> tuple[str, ...]:
    """The requirements at the heart of a certificate all of whose checks are blocked."""
    outcomes: dict[str, set[Outcome]] = {}
    for result in results:
        outcomes.setdefault(result.id.requirement, set()).add(result.outcome)
    return tuple(name for name in CORE_REQUIREMENTS if outcomes.get(name) == {Outcome.BLOCKED})


def tier(run: Run, subject: SubjectRun) -> Tier:
    """What the subject is certified as by this run.

    Nothing when the run is partial or narrowed to a part of the requirements, when something was
    in error, when a deviation is out of order, or when no swap could be judged: a host without a
    swap call blocks them all, and excuses nobody into a certificate. Robust only without a
    deviation: an expected failure is a failure that somebody answers for.
    """
    if partial_because(run) or not run.selection.whole:
        return Tier.NONE
    if any(use.state in ("stale", "expired", "unknown") for use in subject.deviations):
        return Tier.NONE
    scored = [result for result in subject.results if run.facts(result).scored]
    if any(result.outcome is Outcome.ERROR for result in scored) or unjudged_swaps(scored):
        return Tier.NONE
    broken = {result.level for result in scored if not holds(subject, result)}
    if Level.MUST in broken:
        return Tier.NONE
    deviates = any(result.outcome is Outcome.EXPECTED_FAILURE for result in scored)
    return Tier.SWAP_SAFE if deviates or Level.SHOULD in broken else Tier.ROBUST
