"""What a check has tried: how often, by kind, counted from what happened on its stage.

A check that passes although it tried nothing has shown nothing. Each check of the families FAULT,
SEC and UNBIND must have tried at least once what it declares with ``tries``, by default a start.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from conformance.results.timeline import Event

TRIED = {
    "calls": "requests that reached the vendor's API",
    "sockets": "WebSockets that the vendor accepted",
    "faults": "requests that were met by a fault",
    "starts": "calls of start()",
    "closes": "calls of aclose()",
    "speeches": "speeches of the agent",
    "interruptions": "interruptions of the agent",
    "cancellations": "starts that were cancelled",
    "departures": "workers that were made to leave",
    "disconnections": "connections to the room that were cut",
    "secrets": "secrets that were planted",
    "places": "places that were searched for the secrets",
    "imports": "imports that were watched",
}
"""What is counted, in words. A check adds to a count by ``scene.count``."""

_OF_AN_EVENT = {
    ("backend", "request"): "calls",
    ("backend", "fault"): "faults",
    ("room", "fault"): "faults",
    ("room", "dropped"): "disconnections",
    ("check", "start"): "starts",
    ("check", "close"): "closes",
    ("agent", "say"): "speeches",
    ("agent", "interrupt"): "interruptions",
}


def tried(events: Iterable[Event], counted: Mapping[str, int]) -> Mapping[str, int]:
    """What was tried, by the names of `TRIED`, given a timeline and what the check ``counted``."""
    counts = Counter(counted)
    for event in events:
        name = _OF_AN_EVENT.get((event.lane, event.kind))
        if name is not None:
            counts[name] += 1
        elif event.lane == "backend" and event.detail.get("status") == 101:
            counts["sockets"] += 1
    return {name: counts[name] for name in TRIED if counts[name]}


def nothing_tried(tries: str, counts: Mapping[str, int]) -> str | None:
    """Why a check that passed has shown nothing, in words; None where it has tried ``tries``."""
    if not tries or counts.get(tries, 0):
        return None
    return f"the check passed and has tried nothing; of the {TRIED[tries]}, which it judges: none"


__all__ = ["TRIED", "nothing_tried", "tried"]
