"""The listeners of a swap point on the tail that is bound."""

from __future__ import annotations

from typing import Protocol

from livekit.agents.voice import io

from .capture import Capture


class TailEvents(Protocol):
    """Who is told what the current tail says."""

    def tail_started(self, event: io.PlaybackStartedEvent) -> None:
        """The tail has begun to play its oldest segment that had not begun."""

    def tail_progressed(self, *, started_at: float, offset: float, duration: float) -> None:
        """The tail has played a stretch of its oldest segment."""

    def tail_finished(self, event: io.PlaybackFinishedEvent) -> None:
        """The tail is done with its oldest segment."""


class TailListener:
    """Listens to one tail for as long as it is bound; what comes later goes nowhere."""

    def __init__(self, point: TailEvents, tail: io.AudioOutput) -> None:
        self.point = point
        self._tail = tail
        self._muted = False
        self._closed = False
        self.captures: set[Capture] = set()
        self.final_positions: list[float] = []
        tail.on("playback_started", self._on_started)
        tail.on("playback_progressed", self._on_progressed)  # type: ignore[arg-type,unused-ignore]
        tail.on("playback_finished", self._on_finished)

    @property
    def bound(self) -> bool:
        """Whether the tail is still bound."""
        return not self._closed

    def mute(self) -> None:
        """From now on only note what the tail says of the stop that it is about to be told."""
        self._muted = True

    def close(self) -> None:
        """Stop listening, and wait for nothing that the tail has not taken yet."""
        self._closed = True
        self._tail.off("playback_started", self._on_started)
        self._tail.off("playback_progressed", self._on_progressed)  # type: ignore[arg-type,unused-ignore]
        self._tail.off("playback_finished", self._on_finished)
        for capture in tuple(self.captures):
            capture.leave()

    def _on_started(self, event: io.PlaybackStartedEvent) -> None:
        if not self._muted:
            self.point.tail_started(event)

    def _on_progressed(self, event: io.PlaybackProgressedEvent) -> None:
        if not self._closed:
            self.point.tail_progressed(
                started_at=event.started_at, offset=event.offset, duration=event.duration
            )

    def _on_finished(self, event: io.PlaybackFinishedEvent) -> None:
        if not self._muted:
            self.point.tail_finished(event)
        elif not self._closed:
            self.final_positions.append(event.playback_position)
