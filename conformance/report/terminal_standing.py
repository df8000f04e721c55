"""The standing of a subject: its tier, what it lacks for the next one, its worst failures."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from conformance.results.ledger import ledger
from conformance.results.outcomes import CheckResult, Level, Outcome
from conformance.results.plain_text import without_commands
from conformance.results.run import Run, SubjectRun
from conformance.results.tiers import TIERS, asked_for_by, standing
from conformance.results.verdict import first_of

from .subject_words import gate_in_words, heading, tier_in_words

WORST = 3
"""Failures of one subject that are shown where not all are."""

_IN_WORDS = {
    Outcome.PASSED: "passed",
    Outcome.FAILED: "failed",
    Outcome.EXPECTED_FAILURE: "known failures",
    Outcome.NOT_APPLICABLE: "not applicable",
    Outcome.BLOCKED: "blocked",
    Outcome.ERROR: "errors",
}
_GRAVITY = (Outcome.ERROR, Outcome.FAILED, Outcome.EXPECTED_FAILURE, Outcome.BLOCKED)


def failures_of(run: Run, subject: SubjectRun) -> Sequence[CheckResult]:
    """What failed and was not expected to, one check for each requirement, the worst first.

    An error comes first, then by the tier that asks for the requirement, the lowest first; a
    SHOULD comes last.
    """
    first: dict[str, CheckResult] = {}
    for result in subject.results:
        if result.outcome.unexpected:
            first.setdefault(result.id.requirement, result)
    return sorted(first.values(), key=lambda result: _rank(run, result))


def standing_lines(run: Run, subject: SubjectRun, *, width: int, shown: bool) -> Iterator[str]:
    """A subject in a few lines of at most ``width`` columns, its heading apart.

    ``shown`` says that its worst failures have been shown in full before.
    """
    words = dict(_IN_WORDS)
    if subject.kind == "provider":
        yield from _lacking(run, subject, width, shown)
    if subject.kind == "host":
        words[Outcome.EXPECTED_FAILURE] = "listed defects"
        for result in subject.results:
            if result.outcome is Outcome.EXPECTED_FAILURE:
                yield from _in_two_rows(f"  {result.id.requirement:<10} ", result.reason, width)
    account = ledger(subject)
    counts = [_counted(n, words[outcome]) for outcome, n in account.counts.items() if n]
    if account.missing:
        counts.append(f"{len(account.missing)} not run")
    checks = f"{account.expected} check{'s' if account.expected != 1 else ''}"
    yield f"  {checks}: {', '.join(counts) or 'none ran'}"


def _counted(number: int, words: str) -> str:
    return f"{number} {words.removesuffix('s') if number == 1 else words}"


def standing_heading(run: Run, subject: SubjectRun) -> str:
    """Name, tier and gate."""
    if subject.kind != "provider":
        return heading(run, subject)
    name = f"{subject.name} {subject.version or ''}".rstrip()
    tier = tier_in_words(run, subject).partition(";")[0]
    if standing(run, subject).missing:
        tier = tier.partition(":")[0]
    return f"{name}: {tier}; {gate_in_words(run, subject)}"


def _lacking(run: Run, subject: SubjectRun, width: int, shown: bool) -> Iterator[str]:
    earned = standing(run, subject)
    above = earned.tier.next
    if not earned.missing or above is None:
        return
    yield f"  {above.value} lacks {first_of(earned.missing)}"
    worst = [_worst_of(subject, name) for name in earned.missing]
    results = [result for result in worst if result is not None]
    in_full = failures_of(run, subject)[:WORST] if shown else ()
    above_here = {result.id.requirement for result in in_full}
    results.sort(key=lambda result: _GRAVITY.index(result.outcome))
    for result in results[:WORST]:
        name = result.id.requirement
        if name in above_here:
            yield f"  {name:<10} {result.outcome.value}, see above"
        else:
            yield from _in_two_rows(f"  {name:<10} ", _why(subject, result), width)


def _worst_of(subject: SubjectRun, requirement: str) -> CheckResult | None:
    results = [
        result
        for result in subject.results
        if result.id.requirement == requirement and result.outcome in _GRAVITY
    ]
    return min(results, key=lambda result: _GRAVITY.index(result.outcome), default=None)


def _why(subject: SubjectRun, result: CheckResult) -> str:
    if result.outcome is Outcome.EXPECTED_FAILURE:
        own = f"{subject.distribution} {subject.version}: "
        return f"known: {result.reason.removeprefix(own)}"
    if result.outcome is Outcome.BLOCKED:
        return f"blocked by {result.blocked_by}"
    observed = result.finding.observed if result.finding else result.reason
    return f"{result.outcome.value}: {observed}"


def _in_two_rows(head: str, text: str, width: int) -> Iterator[str]:
    rows = textwrap.wrap(
        " ".join(text.split()),
        width - len(head),
        break_long_words=True,
        break_on_hyphens=False,
        max_lines=2,
        placeholder=" ...",
    )
    for row in rows:
        yield head + without_commands(row)
        head = " " * len(head)


def _rank(run: Run, result: CheckResult) -> tuple[bool, bool, int, int]:
    names = list(run.requirements)
    tier = asked_for_by(run, result.id.requirement, result.level)
    return (
        result.outcome is not Outcome.ERROR,
        result.level is not Level.MUST,
        TIERS.index(tier),
        names.index(result.id.requirement),
    )
