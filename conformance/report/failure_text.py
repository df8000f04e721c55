"""One result in words: requirement, expected, observed, what happened around it, what mends it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from conformance.results.outcomes import CheckResult, Outcome
from conformance.results.run import RequirementFacts

from .timeline_text import timeline_text

WIDTH = 109
"""Columns of a failure where nobody says how many there are."""
_LABEL = 13


def failure_text(
    result: CheckResult,
    facts: RequirementFacts,
    repeat: str,
    *,
    folded: bool = False,
    width: int = WIDTH,
) -> str:
    """Everything that a vendor needs to mend a result; ``repeat`` is the command for it.

    ``folded`` keeps to the rows of the timeline that matter. ``width`` is in columns; the command
    alone may be longer, for it is there to be copied.
    """
    return "\n".join(_lines(result, facts, repeat, folded, width))


def headline(result: CheckResult) -> str:
    """The check's outcome and its reason, in one line."""
    why = result.finding.observed if result.finding else result.reason
    why = " ".join(why.split())
    if result.outcome is Outcome.FAILED:
        return f"{result.level.name} does not hold: {why}"
    return f"{result.outcome.value}: {why}"


def _lines(
    result: CheckResult, facts: RequirementFacts, repeat: str, folded: bool, width: int
) -> Iterator[str]:
    unscored = "" if facts.scored else ", not scored in this revision"
    check = f"{result.id} ({facts.level.name}{unscored})"
    if folded:
        yield f"{check} {result.outcome.value}"
    else:
        yield headline(result)
        yield from _field("check", check, width)
    yield from _field("requires", facts.text, width)
    if result.finding:
        yield from _field("expected", result.finding.expected, width)
        yield from _field("observed", result.finding.observed, width)
    if result.reason:
        yield from _field("reason", result.reason, width)
    if result.reference:
        yield from _field("see", result.reference, width)
    at = result.finding.at if result.finding else None
    yield from timeline_text(result.events, at, folded=folded, width=width)
    hint = result.finding.hint or facts.hint if result.finding else ""
    if hint:
        yield from _field("likely fix", hint, width)
    yield from _field("repeat", repeat, width)


def _field(name: str, text: str, width: int) -> Iterator[str]:
    if name == "repeat":  # never broken: it is there to be copied
        yield f"  {name:<10} {text}"
        return
    lines = [
        piece
        for line in text.strip().splitlines() or [""]
        for piece in textwrap.wrap(line, width - _LABEL, break_long_words=False) or [""]
    ]
    for index, line in enumerate(lines):
        yield f"  {name if index == 0 else '':<10} {line}"
