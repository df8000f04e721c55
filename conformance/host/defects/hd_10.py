"""HD-10: a segment that goes on at a new sink, and has nothing more for it, ends there."""

from __future__ import annotations

from .mend import Mend, edits
from .sink_clock import IO

_ENDS_IT = edits(
    IO,
    (
        """\
        super().flush()
        self.next_in_chain.flush()
        self._capturing = False
""",
        """\
        super().flush()
        if self._capturing and self._sink_is_new:
            # the sink has nothing of it to report on; after the flush, as any report comes
            asyncio.get_running_loop().call_soon(self._finish_at_swap, self._played_at_swap)
        else:
            self.next_in_chain.flush()
        self._capturing = False

    def _finish_at_swap(self, position: float) -> None:
        self.on_playback_finished(playback_position=position, interrupted=True)
""",
    ),
)
_INIT = (
    """\
        # uses this to decide if a new/old downstream should be notified
        self._attached = False
""",
    """\
        # uses this to decide if a new/old downstream should be notified
        self._attached = False
        # whether the current sink came within a segment, and has had nothing of it
        self._sink_is_new = False
        self._played_at_swap: float = 0.0
""",
)
_NEWER = _ENDS_IT + edits(
    IO,
    _INIT,
    (
        """\
        self._pushed_duration += frame.duration
        await self.next_in_chain.capture_frame(frame)
""",
        """\
        self._pushed_duration += frame.duration
        self._sink_is_new = False
        await self.next_in_chain.capture_frame(frame)
""",
    ),
    (
        """\
                # the new sink counts from its own zero, this far into the segment
""",
        """\
                if not self._sink_is_new:
                    self._played_at_swap = self._offset_base + played
                self._sink_is_new = True
                # the new sink counts from its own zero, this far into the segment
""",
    ),
)
_OLDER = _ENDS_IT + edits(
    IO,
    _INIT,
    (
        """\
        await self.next_in_chain.capture_frame(frame)
        self._pushed_duration += frame.duration
""",
        """\
        self._sink_is_new = False
        await self.next_in_chain.capture_frame(frame)
        self._pushed_duration += frame.duration
""",
    ),
    (
        """\
        self._next_in_chain = new

        new.on("playback_finished\"""",
        """\
        self._next_in_chain = new
        if old is not None and self._capturing and not self._sink_is_new:
            self._sink_is_new = True
            self._played_at_swap = self._pushed_duration

        new.on("playback_finished\"""",
    ),
)

MEND = Mend(_NEWER, _OLDER)
