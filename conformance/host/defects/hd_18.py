"""HD-18: speech waits for an avatar for a bounded time, and then ends as unheard."""

from __future__ import annotations

from .mend import COUNTS_PENDING, Mend, edits

MEND = Mend(
    COUNTS_PENDING
    + edits(
        "livekit.agents.voice.avatar._datastream_io",
        (
            """\
        self._start_atask: asyncio.Task | None = None

""",
            """\
        self._start_atask: asyncio.Task | None = None
        # until when speech waits for an avatar that has not joined
        self._waits_until = asyncio.get_running_loop().time() + 20.0

""",
        ),
        (
            """\
        await asyncio.shield(self._start_atask)
""",
            """\
        left = max(0.0, self._waits_until - asyncio.get_running_loop().time())
        try:
            await asyncio.wait_for(asyncio.shield(self._start_atask), left)
        except asyncio.TimeoutError:
            logger.warning(
                "the avatar has not joined, its speech is not heard",
                extra={"identity": self._destination_identity},
            )
            await super().capture_frame(frame)
            return
""",
        ),
        (
            """\
        super().flush()
        if self._stream_writer is None or not self._started:
""",
            """\
        super().flush()
        if not self._started and self._pending_playback_count:
            # after the flush: the wrappers above are still in theirs
            asyncio.get_running_loop().call_soon(self._finish_unheard)
        if self._stream_writer is None or not self._started:
""",
        ),
        (
            """\
    def clear_buffer(self) -> None:
""",
            """\
    def _finish_unheard(self) -> None:
        \"""Finish the segments that no avatar has come for.\"""
        while self._pending_playback_count:
            self.on_playback_finished(playback_position=0.0, interrupted=True)

    def clear_buffer(self) -> None:
""",
        ),
    )
)
