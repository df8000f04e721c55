"""Record a tail's segments on the timeline: where each began, and how it ended."""

from __future__ import annotations

from livekit import rtc
from livekit.agents.voice import io

from conformance import host
from conformance.results.timeline import Timeline


class TailWatch:
    """Records what reaches one tail; changes nothing of what the tail does.

    The events are ``captured`` at the first frame of a segment, then ``flushed`` or ``cleared``
    with the ``seconds`` of audio that it was given, or ``left open`` when nobody ended it.
    """

    _METHODS = ("capture_frame", "flush", "clear_buffer")

    def __init__(self, timeline: Timeline, tail: io.AudioOutput, subject: str) -> None:
        self.tail = tail
        self._timeline = timeline
        self._subject = subject
        self._capture, self._flush, self._clear = (getattr(tail, name) for name in self._METHODS)
        self._open = False
        self._seconds = 0.0
        self._frames: list[tuple[float, float]] = []
        self._clears: list[float] = []
        # On the instance, so that the class, and every other tail of it, stays as it is.
        for name in self._METHODS:
            setattr(tail, name, getattr(self, f"_on_{name}"))
        if host.is_capturing(tail):
            self._begin()

    def detach(self) -> None:
        """Stop recording."""
        if self._open:
            self._end("left open")
        for name in self._METHODS:
            delattr(self.tail, name)

    def given(self, since: float) -> float:
        """How many seconds of audio it was given from the moment ``since`` on."""
        return sum(seconds for at, seconds in self._frames if at >= since - 1e-6)

    def cleared(self, since: float) -> bool:
        """Whether it was cleared from the moment ``since`` on."""
        return any(at >= since - 1e-6 for at in self._clears)

    async def _on_capture_frame(self, frame: rtc.AudioFrame) -> None:
        if not self._open:
            self._begin()
        seconds = frame.samples_per_channel / frame.sample_rate
        self._seconds += seconds
        self._frames.append((self._timeline.now(), seconds))
        await self._capture(frame)

    def _on_flush(self) -> None:
        if self._open:
            self._end("flushed")
        self._flush()

    def _on_clear_buffer(self) -> None:
        self._clears.append(self._timeline.now())
        if self._open:
            self._end("cleared")
        else:
            self._timeline.record("tail", "cleared", self._subject)
        self._clear()

    def _begin(self) -> None:
        self._open, self._seconds = True, 0.0
        self._timeline.record("tail", "captured", self._subject)

    def _end(self, how: str) -> None:
        self._open = False
        self._timeline.record("tail", how, self._subject, seconds=round(self._seconds, 6))
