"""Compare two runs: regressions, fixes, checks, capabilities, tiers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.errors import UsageError
from conformance.results.run import providers
from conformance.results.tiers import TIERS

from .ledger import holds, partial_because
from .outcomes import CheckResult, Level, Outcome
from .run import Run, SubjectRun
from .tiers import Tier, tier_of

# What an outcome says of the behaviour: 0 holds, 1 does not. An expected failure is a failure as
# well: listing it mends nothing, and taking it off the list breaks nothing. An outcome that says
# nothing of the behaviour, not-applicable say, has no place in this order.
_WEIGHT = {
    Outcome.PASSED: 0,
    Outcome.EXPECTED_FAILURE: 1,
    Outcome.FAILED: 1,
    Outcome.ERROR: 1,
}


@dataclass(frozen=True)
class CheckChange:
    """A check whose outcome differs; None where the run does not have it."""

    id: str
    level: Level
    before: Outcome | None
    after: Outcome | None


@dataclass(frozen=True)
class CapabilityChange:
    """A capability that a provider claims otherwise than before; None is not said."""

    provider: str
    capability: str
    before: object
    after: object


@dataclass(frozen=True)
class TierChange:
    """A provider that both runs have, with version and tier in each."""

    provider: str
    versions: tuple[str, str]
    before: Tier
    after: Tier

    @property
    def lowered(self) -> bool:
        """Whether it reaches less than before."""
        return TIERS.index(self.after) < TIERS.index(self.before)


@dataclass(frozen=True)
class Comparison:
    """Differences between two runs.

    ``regressions`` held and now do not, expected or not, of the host as well; or are a MUST that
    passed and is no longer judged. ``fixes`` did not hold and now do. ``elsewhere`` are changes of
    requirements that are not scored. ``otherwise`` are changes that say nothing of the behaviour,
    as from failed to expected-failure. ``notes`` are what a reader must know before trusting the
    rest.
    """

    regressions: tuple[CheckChange, ...]
    fixes: tuple[CheckChange, ...]
    elsewhere: tuple[CheckChange, ...]
    otherwise: tuple[CheckChange, ...]
    added: tuple[CheckChange, ...]
    removed: tuple[CheckChange, ...]
    capabilities: tuple[CapabilityChange, ...]
    tiers: tuple[TierChange, ...]
    notes: tuple[str, ...]

    @property
    def regressed(self) -> bool:
        """Whether a check or a tier is worse than before."""
        return bool(self.regressions) or any(change.lowered for change in self.tiers)

    def to_json(self) -> dict[str, Any]:
        """The comparison as JSON values."""
        names = ("regressions", "fixes", "elsewhere", "otherwise", "added", "removed")
        return {
            "regressed": self.regressed,
            "notes": list(self.notes),
            **{name: [_change_to_json(change) for change in getattr(self, name)] for name in names},
            "capabilities": [
                {
                    "provider": change.provider,
                    "capability": change.capability,
                    "before": change.before,
                    "after": change.after,
                }
                for change in self.capabilities
            ],
            "tiers": [
                {
                    "provider": change.provider,
                    "versions": list(change.versions),
                    "before": change.before.value,
                    "after": change.after.value,
                }
                for change in self.tiers
            ],
        }


def compare(old: Run, new: Run) -> Comparison:
    """Compare two runs; raises `UsageError` when they have no provider in common."""
    before = {subject.name: subject for subject in old.subjects}
    after = {subject.name: subject for subject in new.subjects}
    common = [s.name for s in providers(old) if s.name in after]
    if not common:
        names = (", ".join(s.name for s in providers(run)) or "no provider" for run in (old, new))
        raise UsageError(
            "there is nothing to compare: OLD is about {}, NEW about {}".format(*names)
        )
    sorted_changes: dict[str, list[CheckChange]] = {
        name: [] for name in ("regressions", "fixes", "elsewhere", "otherwise", "added", "removed")
    }
    for name in dict.fromkeys([*after, *before]):
        for kind, change in _changes(old, before.get(name), new, after.get(name)):
            sorted_changes[kind].append(change)
    return Comparison(
        **{kind: tuple(changes) for kind, changes in sorted_changes.items()},
        capabilities=tuple(
            change for name in common for change in _capabilities(before[name], after[name])
        ),
        tiers=tuple(
            TierChange(
                name,
                (before[name].version or "?", after[name].version or "?"),
                tier_of(old, before[name]),
                tier_of(new, after[name]),
            )
            for name in common
        ),
        notes=tuple(_notes(old, new)),
    )


def _changes(
    old: Run, before: SubjectRun | None, new: Run, after: SubjectRun | None
) -> Iterator[tuple[str, CheckChange]]:
    was, now = _by_id(before), _by_id(after)
    for name in dict.fromkeys([*now, *was]):
        first, second = was.get(name), now.get(name)
        either = second or first
        assert either is not None, "the name comes from one of them"
        change = CheckChange(
            name,
            either.level,
            first.outcome if first else None,
            second.outcome if second else None,
        )
        if first is None or second is None:
            lost = second is None and first is not None and _binding(old, first)
            kept = before is not None and after is not None and before.kind == after.kind
            gone = lost and kept and not _pair_of(first, new)
            yield ("regressions" if gone else "removed" if second is None else "added"), change
        elif first.outcome is not second.outcome:
            assert before is not None, "it has the check"
            assert after is not None, "it has the check"
            # An error said nothing of the provider: what comes after it is no fix.
            was_judged = first.outcome is not Outcome.ERROR
            step = _step(_weight(before, first) if was_judged else None, _weight(after, second))
            counts = old.facts(first).scored and new.facts(second).scored
            if not step and _unjudged_now(first, second):
                step = 1
            if step and not counts:
                yield "elsewhere", change
            else:
                yield ("otherwise" if not step else "regressions" if step > 0 else "fixes"), change


def _unjudged_now(first: CheckResult, second: CheckResult) -> bool:
    """Whether a MUST that passed is neither passed nor failed any more."""
    return (
        first.outcome is Outcome.PASSED
        and first.level is Level.MUST
        and second.outcome in (Outcome.NOT_APPLICABLE, Outcome.BLOCKED)
    )


def _binding(run: Run, result: CheckResult) -> bool:
    """Whether it was a MUST that counted, and passed."""
    scored = run.facts(result).scored
    return scored and result.level is Level.MUST and result.outcome is Outcome.PASSED


def _pair_of(result: CheckResult | None, new: Run) -> bool:
    """Whether it was a check of a pair, with a provider that the new run has not."""
    variant = (result.id.variant or "") if result is not None else ""
    names = {subject.name for subject in new.subjects}
    return variant.startswith("to-") and variant.removeprefix("to-") not in names


def _step(before: int | None, after: int | None) -> int:
    return 0 if before is None or after is None else after - before


def _weight(subject: SubjectRun, result: CheckResult) -> int | None:
    if result.outcome is Outcome.BLOCKED:
        return None if holds(subject, result) else 1
    return _WEIGHT.get(result.outcome)


def _by_id(subject: SubjectRun | None) -> Mapping[str, CheckResult]:
    return {str(result.id): result for result in subject.results} if subject else {}


def _capabilities(before: SubjectRun, after: SubjectRun) -> Iterator[CapabilityChange]:
    was: Mapping[str, object] = (before.manifest or {}).get("capabilities", {})
    now: Mapping[str, object] = (after.manifest or {}).get("capabilities", {})
    for name in dict.fromkeys([*was, *now]):
        if was.get(name) != now.get(name):
            yield CapabilityChange(after.name, name, was.get(name), now.get(name))


def _notes(old: Run, new: Run) -> Iterator[str]:
    for name, run in (("OLD", old), ("NEW", new)):
        reasons = partial_because(run)
        if reasons:
            yield f"{name} is a partial run: {reasons[0]}"
        elif not run.selection.whole:
            yield f"{name} is a run of a part of the requirements"
        errors = sum(r.outcome is Outcome.ERROR for s in run.subjects for r in s.results)
        if errors:
            yield f"{name} has {errors} errors of the kit, which say nothing of the provider"
    pairs = [("requirements", old.revision, new.revision), ("kit", old.kit, new.kit)]
    pairs += [
        (n, old.host.get(n, "none"), new.host.get(n, "none")) for n in {**old.host, **new.host}
    ]
    for what, was, now in pairs:
        if was != now:
            yield f"{what} was {was} and is {now}"


def _change_to_json(change: CheckChange) -> dict[str, Any]:
    return {
        "id": change.id,
        "level": change.level.value,
        "before": change.before.value if change.before else None,
        "after": change.after.value if change.after else None,
    }
