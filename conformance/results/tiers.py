"""The tiers: what a provider has earned on one host, and what it lacks for more.

A tier is earned by what holds. A deviation never earns one: a failure is a failure, whether it was
expected or not. What cannot be judged earns nothing either.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from conformance.errors import UsageError

from .ledger import partial_because
from .outcomes import CheckId, CheckResult, Level, Outcome
from .run import DEPLOYED, Run, SubjectRun


class Tier(enum.Enum):
    """What a provider is certified as, the lowest first."""

    NONE = "none"
    SWAP_SAFE = "swap-safe"
    FAULT_SAFE = "fault-safe"
    ROBUST = "robust"
    DEPLOYED = "deployed"
    """Earned on the deployed stage alone, by what the vendor's worker does there."""

    @property
    def next(self) -> Tier | None:
        """The tier above it; None for the highest, and for the one of the deployed stage."""
        place = TIERS.index(self) + 1
        return TIERS[place] if self is not Tier.ROBUST and place < len(TIERS) else None


TIERS = tuple(Tier)
"""Every tier, the lowest first; the one of the deployed stage is last, and above none."""


def ladder(run: Run) -> tuple[Tier, ...]:
    """The tiers that a run of this stage can earn, the lowest first."""
    if run.stage == DEPLOYED:
        return (Tier.DEPLOYED,)
    return tuple(tier for tier in TIERS if tier not in (Tier.NONE, Tier.DEPLOYED))


@dataclass(frozen=True)
class Standing:
    """What a subject has earned.

    ``missing`` are the requirements that it lacks for the tier above, in the order of the
    catalogue. ``nothing`` says why the run earns nobody a tier; empty where it can.
    """

    tier: Tier
    missing: tuple[str, ...] = ()
    nothing: str = ""


def standing(run: Run, subject: SubjectRun) -> Standing:
    """What ``subject`` has earned by this run, and what it lacks for the next tier.

    Nothing is earned by a part of the requirements, by a partial run, or beside a host or an
    endpoint of the kit that fails for no listed reason.
    """
    nothing = next(_nothing(run), "")
    if nothing:
        return Standing(Tier.NONE, nothing=nothing)
    lacking = lacks(run, subject)
    reached = Tier.NONE
    for tier in ladder(run):
        missing = tuple(name for name, lowest in lacking if lowest is tier)
        if missing:
            return Standing(reached, missing)
        reached = tier
    return Standing(reached)


def tier_of(run: Run, subject: SubjectRun) -> Tier:
    """The tier that ``subject`` has earned by this run."""
    return standing(run, subject).tier


def lowest_tier(run: Run) -> Tier:
    """The lowest tier among the providers of a run; none where it has no provider."""
    tiers = [tier_of(run, s) for s in run.subjects if s.kind == "provider"]
    return min(tiers, key=TIERS.index, default=Tier.NONE)


def asked_for_by(run: Run, requirement: str, level: Level) -> Tier:
    """The lowest tier that asks for a requirement, at the level it has for one provider.

    A claimed capability makes a SHOULD a MUST for whoever claims it; it is then asked for where
    its family's MUSTs are.
    """
    declared = Tier(run.requirements[requirement].tier)
    if level is Level.MUST and declared is Tier.ROBUST:
        whole_family = run.requirements[requirement].family in _SWAP_SAFE_FAMILIES
        return Tier.SWAP_SAFE if whole_family else Tier.FAULT_SAFE
    return declared


_SWAP_SAFE_FAMILIES = ("BIND", "SWAP", "PLAY")


def named_tier(where: str, name: str) -> Tier:
    """The tier called ``name``; raises `UsageError` for another name, or for none."""
    for tier in TIERS[1:]:
        if tier.value == name:
            return tier
    known = ", ".join(tier.value for tier in TIERS[1:])
    raise UsageError(f"{where} {name!r}: there is no such tier; there are: {known}")


def lacks(run: Run, subject: SubjectRun) -> tuple[tuple[str, Tier], ...]:
    """The requirements that do not hold, each with the lowest tier that asks for it."""
    ran = {result.id: result for result in subject.results}
    found: dict[str, Tier] = {}
    for check_id in subject.expected:
        facts = run.requirements[check_id.requirement]
        result = ran.get(check_id)
        if not facts.scored or (result is not None and held(subject, result)):
            continue
        level = result.level if result is not None else facts.level
        tier = asked_for_by(run, facts.id, level)
        known = found.get(facts.id, tier)
        found[facts.id] = min(tier, known, key=TIERS.index)
    return tuple((name, found[name]) for name in run.requirements if name in found)


def held(subject: SubjectRun, result: CheckResult) -> bool:
    """Whether a requirement holds as far as this check tells: it passed, or a rule exempts it.

    A pair of providers is asked for where both are certified: a check that is blocked by the other
    provider's own failure asks nothing of this one.
    """
    if result.outcome is Outcome.BLOCKED:
        by = result.blocked_by
        if not isinstance(by, CheckId) or by.provider == subject.name:
            return False
        return result.of_pair_with(by.provider)
    return result.outcome in (Outcome.PASSED, Outcome.NOT_APPLICABLE)


def _nothing(run: Run) -> Iterator[str]:
    if partial_because(run):
        yield "partial run"
    if not run.selection.whole:
        yield "only a part of the requirements was asked for"
    for subject in run.subjects:
        if subject.kind == "provider":
            continue
        for result in subject.results:
            if result.outcome.unexpected and run.facts(result).scored:
                yield f"{result.id} fails, and no listed defect of the host explains it"
