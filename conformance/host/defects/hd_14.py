"""HD-14: the position of a segment that went over to another sink counts what the first played."""

from __future__ import annotations

from .mend import Mend, edits
from .sink_clock import IO, KEEPS_SINK_START

_NEWER = edits(
    IO,
    (
        """\
        self._offset_base: float = 0.0
""",
        """\
        self._offset_base: float = 0.0
        # what the sinks before the current one played of the segment
        self._played_before: float = 0.0
""",
    ),
    (
        """\
                # the new sink counts from its own zero, this far into the segment
""",
        """\
                self._played_before += played
                # the new sink counts from its own zero, this far into the segment
""",
    ),
    (
        """\
        super()._forward_next_playback_finished(ev)
""",
        """\
        if self._played_before:
            ev = replace(ev, playback_position=self._played_before + ev.playback_position)
            self._played_before = 0.0
        super()._forward_next_playback_finished(ev)
""",
    ),
    (
        """\
                playback_position=self._offset_base + played, interrupted=True
            )
""",
        """\
                playback_position=self._played_before + played, interrupted=True
            )
            self._played_before = 0.0
""",
    ),
)
_OLDER = KEEPS_SINK_START + edits(
    IO,
    (
        """\
        self._sink_started_at: float | None = None
        self._capturing = False
""",
        """\
        self._sink_started_at: float | None = None
        # what the sinks before the current one played of the segment
        self._played_before: float = 0.0
        self._capturing = False
""",
    ),
    (
        """\
            if self._attached:
                old.on_detached()
""",
        """\
            if self._capturing:
                self._played_before += self._take_played()
            if self._attached:
                old.on_detached()
""",
    ),
    (
        """\
    def _take_played(self) -> float:
""",
        """\
    def _forward_next_playback_finished(self, ev: PlaybackFinishedEvent) -> None:
        if self._played_before:
            ev.playback_position += self._played_before
            self._played_before = 0.0
        super()._forward_next_playback_finished(ev)

    def _take_played(self) -> float:
""",
    ),
)

MEND = Mend(_NEWER, _OLDER)
