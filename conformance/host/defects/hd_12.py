"""HD-12: progress is placed in the segment, whichever sink plays it."""

from __future__ import annotations

from .mend import Mend, edits
from .sink_clock import IO, KEEPS_SINK_START

MEND = Mend(
    KEEPS_SINK_START
    + edits(
        IO,
        (
            """\
        self._sink_started_at: float | None = None
        self._capturing = False
""",
            """\
        self._sink_started_at: float | None = None
        # where in the segment the current sink came in, and how far it said that it played
        self._offset_base = 0.0
        self._sink_played: float | None = None
        self._capturing = False
""",
        ),
        (
            """\
            if not self._pending_playback_count:
                self._sink_started_at = None
""",
            """\
            self._offset_base = 0.0
            self._sink_played = None
            if not self._pending_playback_count:
                self._sink_started_at = None
""",
        ),
        (
            """\
            old.off("playback_progressed", self._forward_next_playback_progressed)
            if self._pending_playback_count > 0:
                # stop audio still playing on the old sink
                old.clear_buffer()
""",
            """\
            if self._pending_playback_count > 0:
                # stop audio still playing on the old sink
                old.clear_buffer()
            # what it reports of the clear is its last word
            old.off("playback_progressed", self._forward_next_playback_progressed)
            if self._capturing:
                started_at = self._sink_started_at
                self._report_run(started_at, self._take_played())
                self._offset_base = self._pushed_duration
                self._sink_played = None
""",
        ),
        (
            """\
    def _take_played(self) -> float:
""",
            """\
    def _report_run(self, started_at: float | None, duration: float) -> None:
        \"""Place what the sink played, where it reports no progress itself.\"""
        if started_at is not None and self._sink_played is None and duration > 0:
            self.on_playback_progressed(
                started_at=started_at, offset=self._offset_base, duration=duration
            )

    def _forward_next_playback_progressed(self, ev: PlaybackProgressedEvent) -> None:
        self._sink_played = ev.offset + ev.duration
        self.on_playback_progressed(
            started_at=ev.started_at, offset=self._offset_base + ev.offset, duration=ev.duration
        )

    def _forward_next_playback_finished(self, ev: PlaybackFinishedEvent) -> None:
        if self._offset_base:
            self._report_run(self._sink_started_at, ev.playback_position)
        super()._forward_next_playback_finished(ev)

    def _take_played(self) -> float:
""",
        ),
    )
)
