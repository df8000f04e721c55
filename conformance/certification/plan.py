"""The plan: which checks a selection asks of which subject, known before pytest collects any."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.errors import UsageError
from conformance.results.outcomes import CheckId
from conformance.results.run import RequirementFacts

from .options import Options

if TYPE_CHECKING:
    from conformance.suite.registry import Check
    from conformance.suite.runner.subjects import Subject

SUITE = ("conformance.suite.", "conformance.deployed.")


@dataclass(frozen=True)
class PlannedCheck:
    """One check of one subject, as the plan asks for it."""

    id: CheckId
    subject: Subject
    check: Check
    facts: RequirementFacts


@dataclass(frozen=True)
class Plan:
    """Every check of a run, in the order of the subjects and of the catalogue.

    ``gaps`` say what the kit itself cannot check as it stands: a requirement without a check, a
    check that someone has put in the place of the kit's own.
    """

    subjects: tuple[Subject, ...]
    checks: tuple[PlannedCheck, ...]
    requirements: Mapping[str, RequirementFacts]
    gaps: tuple[str, ...] = ()

    def of(self, subject: str) -> tuple[PlannedCheck, ...]:
        """The checks of one subject."""
        return tuple(planned for planned in self.checks if planned.id.provider == subject)


def make_plan(
    subjects: Sequence[Subject],
    requirements: Mapping[str, RequirementFacts],
    excluded: Iterable[str],
    options: Options,
) -> Plan:
    """Say what ``options`` ask of ``subjects``; raises `UsageError` for what matches nothing.

    ``excluded`` are the requirements that the catalogue says cannot be tested.
    """
    wanted = _matching(options.requirements, requirements)
    everything = tuple(_all_checks(subjects, requirements))
    checks = tuple(
        planned
        for planned in everything
        if planned.facts.id in wanted
        and options.level in (None, planned.facts.level)
        and (options.exchange == "plain" or planned.check.exchange)
    )
    if options.checks:
        checks = _named(options.checks, checks)
    if not checks:
        raise UsageError(
            "no check is left by --requirement, --level and --exchange; take one of them away"
        )
    narrowed = not options.selection(()).whole
    kept = {planned.id.provider for planned in checks}
    return Plan(
        tuple(subject for subject in subjects if subject.name in kept or not narrowed),
        checks,
        requirements,
        tuple(_gaps(everything, set(requirements) - set(excluded))),
    )


def _all_checks(
    subjects: Sequence[Subject], requirements: Mapping[str, RequirementFacts]
) -> Iterator[PlannedCheck]:
    order = {requirement: index for index, requirement in enumerate(requirements)}
    for subject in subjects:
        for check in sorted(subject.checks, key=lambda check: order[check.requirement]):
            for variant in check.variants or (None,):
                check_id = CheckId(subject.name, check.requirement, variant)
                yield PlannedCheck(check_id, subject, check, requirements[check.requirement])


def _matching(patterns: Sequence[str], known: Iterable[str]) -> set[str]:
    known = list(known)
    if not patterns:
        return set(known)
    wanted: set[str] = set()
    for pattern in patterns:
        matched = fnmatch.filter(known, pattern.upper())
        if not matched:
            near = difflib.get_close_matches(pattern.upper(), known, n=1)
            families = ", ".join(dict.fromkeys(name.split("-")[0] for name in known))
            guess = f"did you mean {near[0]}?" if near else f"the families are: {families}"
            raise UsageError(f"--requirement {pattern!r} matches no requirement; {guess}")
        wanted.update(matched)
    return wanted


def _named(names: Sequence[str], checks: Sequence[PlannedCheck]) -> tuple[PlannedCheck, ...]:
    by_id = {str(planned.id): planned for planned in checks}
    found: dict[CheckId, PlannedCheck] = {}
    for name in names:
        # A name without a variant stands for all of them.
        matched = [p for key, p in by_id.items() if name in (key, key.partition("[")[0])]
        if not matched:
            near = difflib.get_close_matches(name, by_id, n=1)
            guess = f"did you mean {near[0]!r}?" if near else "see pytest --conformance --co -q"
            raise UsageError(f"no check {name!r} in this run; {guess}")
        found.update((planned.id, planned) for planned in matched)
    return tuple(planned for planned in checks if planned.id in found)


def _gaps(checks: Sequence[PlannedCheck], testable: set[str]) -> Iterator[str]:
    covered = {planned.check.requirement for planned in checks}
    unchecked = sorted(testable - covered)
    if unchecked:
        first = ", ".join(unchecked[:5])
        more = f" and {len(unchecked) - 5} more" if len(unchecked) > 5 else ""
        yield f"no check for {first}{more}"
    foreign = {
        planned.check.requirement: planned.check.where
        for planned in checks
        if not planned.check.function.__module__.startswith(SUITE)
    }
    for requirement, where in sorted(foreign.items()):
        yield f"{requirement} is checked by {where}, not by the kit"
