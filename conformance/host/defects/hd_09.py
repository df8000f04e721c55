"""HD-09: every flushed segment that is pending at a swap is finished there."""

from __future__ import annotations

from .mend import Mend, edits
from .sink_clock import IO

_NEWER = edits(
    IO,
    (
        """\
            self._sink_played = None
            self._sink_started_at = None

        await super()""",
        """\
            if not self._pending_playback_count:
                # where another segment is playing, these are about that one
                self._sink_played = None
                self._sink_started_at = None

        await super()""",
    ),
    (
        """\
        self._sink_started_at = ev.created_at
""",
        """\
        if self._sink_started_at is None or self._pending_playback_count == 1:
            self._sink_started_at = ev.created_at
""",
    ),
    (
        """\
        super()._forward_next_playback_finished(ev)
""",
        """\
        super()._forward_next_playback_finished(ev)
        if self._pending_playback_count:
            self._sink_played = None
            self._sink_started_at = time.time()
""",
    ),
    (
        """\
        if old is not None and self._pending_playback_count > 0 and not self._capturing:
            self.on_playback_finished(
                playback_position=self._offset_base + played, interrupted=True
            )
""",
        """\
        while old is not None and self._pending_playback_count > int(self._capturing):
            self.on_playback_finished(
                playback_position=self._offset_base + played, interrupted=True
            )
            # those behind the one that was playing had not begun
            played = 0.0
""",
    ),
)
_OLDER = edits(
    IO,
    (
        """\
        if old is not None and self._pending_playback_count > 0 and not self._capturing:
""",
        """\
        while (
            old is not None
            and self._pending_playback_count > int(getattr(self, "_capturing", False))
        ):
""",
    ),
)

MEND = Mend(_NEWER, _OLDER)
