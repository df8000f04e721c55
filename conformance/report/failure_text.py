"""One result in words: requirement, expected, observed, what happened around it, what mends it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from conformance.results.outcomes import CheckResult, Outcome
from conformance.results.run import RequirementFacts
from conformance.results.timeline import Event

AROUND = 2.0
"""Seconds shown on each side of the moment at which it went wrong."""
AT_MOST = 30
"""Events shown."""
_WIDTH = 96


def failure_text(result: CheckResult, facts: RequirementFacts, repeat: str) -> str:
    """Everything that a vendor needs to mend a result; ``repeat`` is the command for it."""
    return "\n".join(_lines(result, facts, repeat))


def headline(result: CheckResult) -> str:
    """The check's outcome and its reason, in one line."""
    why = result.finding.observed if result.finding else result.reason
    why = " ".join(why.split())
    if result.outcome is Outcome.FAILED:
        return f"{result.level.name} does not hold: {why}"
    return f"{result.outcome.value}: {why}"


def _lines(result: CheckResult, facts: RequirementFacts, repeat: str) -> Iterator[str]:
    yield headline(result)
    unscored = "" if facts.scored else ", not scored in this revision"
    yield from _field("check", f"{result.id} ({facts.level.name}{unscored})")
    yield from _field("requires", facts.text)
    if result.finding:
        yield from _field("expected", result.finding.expected)
        yield from _field("observed", result.finding.observed)
    if result.reason:
        yield from _field("reason", result.reason)
    if result.reference:
        yield from _field("see", result.reference)
    events = _around(result)
    if events:
        left_out = len(result.events) - len(events)
        yield "  timeline" + (f" ({left_out} more events in the report)" if left_out else "")
        at = result.finding.at if result.finding else None
        for event in events:
            yield f"  {'>' if at is not None and event.at == at else ' '} {event}"
    hint = result.finding.hint or facts.hint if result.finding else ""
    if hint:
        yield from _field("likely fix", hint)
    yield from _field("repeat", repeat)


def _around(result: CheckResult) -> Sequence[Event]:
    at = result.finding.at if result.finding else None
    if at is None:
        return tuple(result.events[-AT_MOST:])
    near = [event for event in result.events if abs(event.at - at) <= AROUND]
    if len(near) <= AT_MOST:
        return near
    nearest = sorted(range(len(near)), key=lambda i: (abs(near[i].at - at), i))[:AT_MOST]
    return [near[i] for i in sorted(nearest)]


def _field(name: str, text: str) -> Iterator[str]:
    if name == "repeat":  # never broken: it is there to be copied
        yield f"  {name:<10} {text}"
        return
    lines = [
        piece
        for line in text.strip().splitlines() or [""]
        for piece in textwrap.wrap(line, _WIDTH, break_long_words=False) or [""]
    ]
    for index, line in enumerate(lines):
        yield f"  {name if index == 0 else '':<10} {line}"
