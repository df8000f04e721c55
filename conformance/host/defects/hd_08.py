"""HD-08: every segment that is interrupted is finished, also those that are not reported on."""

from __future__ import annotations

from .mend import COUNTS_PENDING, Mend, edits

MEND = Mend(
    COUNTS_PENDING
    + edits(
        "livekit.agents.voice.avatar._datastream_io",
        (
            """\
            self._reset_playback_count()
""",
            """\
            while self._pending_playback_count > 0:
                # those behind it had not begun
                self.on_playback_finished(playback_position=0.0, interrupted=True)
            self._reset_playback_count()
""",
        ),
        (
            """\
        if self._clear_buffer_timeout_handler:
            self._clear_buffer_timeout_handler.cancel()
            self._clear_buffer_timeout_handler = None
""",
            """\
        if self._clear_buffer_timeout_handler and self._pending_playback_count <= 1:
            self._clear_buffer_timeout_handler.cancel()
            self._clear_buffer_timeout_handler = None
""",
        ),
    )
)
