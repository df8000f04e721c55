"""A timeline in lines of text: the rows that matter, and how many were folded between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.results.timeline import Event

AROUND = 2.0
"""Seconds shown on each side of the moment at which it went wrong."""
AT_MOST = 30
"""Events shown."""
FOLDED_AT_MOST = 14
"""Events shown where the timeline is folded."""

_CARRIERS = {
    ("agent", "stream-opened"),
    ("agent", "stream-closed"),
    ("agent", "rpc"),
    ("worker", "rpc"),
    ("worker", "joined"),
    ("backend", "request"),
    ("room", "joined"),
    ("room", "unpublished"),
    ("room", "text"),
}
"""Events that carry another one that is in the timeline too: how it got there, not what it was."""
_STANDS_AGAIN = ("wrappers", "chain")


def timeline_text(
    events: Sequence[Event], at: float | None, *, folded: bool, width: int
) -> Iterator[str]:
    """The events around ``at`` (seconds), or the last ones where there is no such moment.

    ``folded`` leaves out what only carries another event, and a chain that is the one before. Each
    run of events that are left out is a row with their number. No row is longer than ``width``.
    """
    shown = _bridged(_nearest(events, at, folded))
    if not shown:
        return
    yield "  timeline"
    before = -1
    for index in shown:
        yield from _gap(index - before - 1)
        event = events[index]
        mark = ">" if at is not None and event.at == at else " "
        yield _cut(f"  {mark} {event}", width)
        before = index
    yield from _gap(len(events) - before - 1)


def _nearest(events: Sequence[Event], at: float | None, folded: bool) -> Sequence[int]:
    matter: Sequence[int] = range(len(events))
    if folded:
        matter = [i for i in range(_end(events)) if not _carries_only(events, i)]
    most = FOLDED_AT_MOST if folded else AT_MOST
    if at is None:
        return matter[-most:]
    near = [index for index in matter if abs(events[index].at - at) <= AROUND]
    nearest = sorted(near, key=lambda index: (abs(events[index].at - at), index))[:most]
    return sorted(nearest)


def _end(events: Sequence[Event]) -> int:
    """The index at which the check is over; what comes then is the stage being taken down."""
    over = (i for i, event in enumerate(events) if (event.lane, event.kind) == ("check", "over"))
    return next(over, len(events))


def _bridged(shown: Sequence[int]) -> Sequence[int]:
    """The same with every event that stands alone between two of them: it takes the row anyway."""
    alone = {index + 1 for index in shown} & {index - 1 for index in shown}
    return sorted({*shown, *alone})


def _carries_only(events: Sequence[Event], index: int) -> bool:
    event = events[index]
    if (event.lane, event.kind) == _STANDS_AGAIN:
        former = [e for e in events[:index] if (e.lane, e.kind) == _STANDS_AGAIN]
        return not former or former[-1].detail == event.detail
    fine_answer = event.kind == "answer" and event.detail.get("status") in range(200, 300)
    return fine_answer or (event.lane, event.kind) in _CARRIERS


def _gap(count: int) -> Iterator[str]:
    if count > 0:
        yield f"             ... {count} more event{'s' if count > 1 else ''}"


def _cut(line: str, width: int) -> str:
    if len(line) <= width:
        return line
    head, arrow, tail = line.rpartition(" -> ")
    end = f"...{arrow}{tail}"
    return (head or line)[: width - len(end)] + end if arrow else f"{line[: width - 3]}..."
