"""HD-07: a flushed segment that is playing at the swap ends where its playback was."""

from __future__ import annotations

from .mend import Mend, edits
from .sink_clock import IO, KEEPS_SINK_START

MEND = Mend(
    KEEPS_SINK_START
    + edits(
        IO,
        (
            "playback_position=self._pushed_duration, interrupted=True",
            "playback_position=self._take_played(), interrupted=True",
        ),
    )
)
