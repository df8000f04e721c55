"""The event timeline: what happened in a check, on which lane, at which moment of its clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Lane = Literal["check", "agent", "wrappers", "tail", "worker", "backend", "room"]
Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    ``at`` is in seconds since the stage was opened, by the stage's clock. ``subject`` tells the
    actors of one lane apart (``"old"``, ``"new"``, a participant's identity, a call's name).
    ``detail`` holds only values that are the same in every run: no random ids, no addresses.
    """

    at: float
    lane: Lane
    kind: str
    subject: str = ""
    detail: Mapping[str, Scalar] = field(default_factory=dict)

    def __str__(self) -> str:
        extra = " ".join(f"{key}={_show(value)}" for key, value in self.detail.items())
        return f"{self.at:9.3f}  {self.lane:<8} {self.subject:<12} {self.kind} {extra}".rstrip()


class Timeline:
    """An append-only list of events, stamped by the clock it was made with."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._events: list[Event] = []

    def record(self, lane: Lane, kind: str, subject: str = "", **detail: Scalar) -> None:
        """Append an event that happens now."""
        self._events.append(Event(round(self._now(), 6), lane, kind, subject, detail))

    def now(self) -> float:
        """The moment by its clock, in seconds."""
        return self._now()

    @property
    def events(self) -> tuple[Event, ...]:
        """Every event so far, in the order in which they happened."""
        return tuple(self._events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __len__(self) -> int:
        return len(self._events)


def _show(value: Scalar) -> str:
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.3f}"
    return str(value)
