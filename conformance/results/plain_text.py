"""Text that a plugin wrote, made harmless for every report: bounded, printable, no command."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .outcomes import CheckResult, Finding, HostDefectRef
from .run import DeviationUse
from .timeline import Event, Scalar

LONGEST = 4_000
"""Characters of one message."""
LONGEST_DETAIL = 500
"""Characters of one word of a timeline."""
LONGEST_TIMELINE = 100_000
"""Characters of all words of one timeline; its middle is left out of a longer one."""
MOST_DETAILS = 30
"""Details of one event of a timeline."""

# Control characters but newline and tab, halves of surrogate pairs, and what changes the direction
# or the place of other characters; escape sequences of terminals begin with one of them.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
# A line that a CI takes for a command of its job: `::name::` of GitHub at the start of a line,
# which a word is once lines are wrapped, and `##[name]` and `##vso[` wherever they stand.
_COMMAND = re.compile(r"(?:(?<=\s)|^):(?=:\S)|#(?=#(?:vso)?\[)")


def plain(text: str, longest: int = LONGEST) -> str:
    """``text`` as it may stand in any report.

    What is not printable is written as its escape, what a CI would take for a command is broken by
    a space, and the middle of a text of more than ``longest`` characters is left out.
    """
    text = _cut(text, longest).replace("\r\n", "\n")
    return without_commands(_UNPRINTABLE.sub(_escaped, text))


def plain_row(text: str, longest: int = LONGEST_DETAIL) -> str:
    """As `plain`, in one row."""
    return plain(text, longest).replace("\n", "\\n").replace("\t", "\\t")


def without_commands(text: str) -> str:
    """``text`` with a space in what GitHub Actions or Azure Pipelines would take for a command."""
    return _COMMAND.sub(lambda found: f"{found[0]} ", text)


def plain_result(result: CheckResult) -> CheckResult:
    """The result with every text in it made plain."""
    finding = result.finding
    if finding is not None:
        finding = Finding(
            plain(finding.expected), plain(finding.observed), plain(finding.hint), finding.at
        )
    by = result.blocked_by
    if isinstance(by, HostDefectRef):
        by = replace(by, text=plain(by.text))
    return replace(
        result,
        finding=finding,
        reason=plain(result.reason),
        reference=plain_row(result.reference),
        blocked_by=by,
        events=_plain_events(result.events),
    )


def plain_use(use: DeviationUse) -> DeviationUse:
    """The use of a deviation with what its author wrote made plain."""
    return replace(
        use,
        requirement=plain_row(use.requirement),
        variants=tuple(map(plain_row, use.variants)),
        reason=plain(use.reason),
        reference=plain_row(use.reference),
        owner=plain_row(use.owner),
        host=plain_row(use.host),
        plugin=plain_row(use.plugin),
        origin=plain_row(use.origin),
    )


def plain_json(value: Any) -> Any:
    """A JSON value with every text in it made plain, keys too."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, Mapping):
        return {plain_row(str(key)): plain_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_json(item) for item in value]
    return value


def _plain_events(events: Iterable[Event]) -> tuple[Event, ...]:
    plain_events = [_plain_event(event) for event in events]
    sizes = [_size(event) for event in plain_events]
    if sum(sizes) <= LONGEST_TIMELINE:
        return tuple(plain_events)
    head = _fitting(sizes, LONGEST_TIMELINE // 2)
    tail = len(sizes) - _fitting(sizes[::-1], LONGEST_TIMELINE // 2)
    left_out = Event(plain_events[head].at, "check", "left-out", detail={"events": tail - head})
    return (*plain_events[:head], left_out, *plain_events[tail:])


def _plain_event(event: Event) -> Event:
    detail: dict[str, Scalar] = {
        plain_row(key): plain_row(value) if isinstance(value, str) else value
        for key, value in list(event.detail.items())[:MOST_DETAILS]
    }
    return Event(event.at, event.lane, plain_row(event.kind), plain_row(event.subject), detail)


def _size(event: Event) -> int:
    words = sum(len(key) + len(str(value)) for key, value in event.detail.items())
    return len(event.kind) + len(event.subject) + words + 120


def _fitting(sizes: list[int], most: int) -> int:
    """The number of ``sizes`` from the first on that are ``most`` at most together."""
    count = 0
    for size in sizes:
        most -= size
        if most < 0:
            break
        count += 1
    return count


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    head, tail = longest * 3 // 4, longest // 4
    left_out = len(text) - head - tail
    return f"{text[:head]} [{left_out:,} characters left out] {text[-tail:]}"


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")
