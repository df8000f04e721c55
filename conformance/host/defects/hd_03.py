"""HD-03: what an avatar that has left was given ends, and so does what is given to it later."""

from __future__ import annotations

from .mend import COUNTS_PENDING, Mend, edits

MEND = Mend(
    COUNTS_PENDING
    + edits(
        "livekit.agents.voice.avatar._datastream_io",
        (
            """\
        self._room.on("connection_state_changed", self._handle_connection_state_changed)
        if self._room.isconnected():
            self._room_connected_fut""",
            """\
        self._room.on("connection_state_changed", self._handle_connection_state_changed)
        self._room.on("participant_disconnected", self._handle_participant_disconnected)
        if self._room.isconnected():
            self._room_connected_fut""",
        ),
        (
            """\
        self._stream_writer = None

    def clear_buffer(self) -> None:
""",
            """\
        self._stream_writer = None
        if self._destination_identity not in self._room.remote_participants:
            # after the flush: the wrappers above are still in theirs
            asyncio.get_running_loop().call_soon(self._finish_unplayed)

    def _handle_participant_disconnected(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._destination_identity:
            self._finish_unplayed()

    def _finish_unplayed(self) -> None:
        \"""Finish the flushed segments, which nobody is left to report on.\"""
        still_open = 1 if self._stream_writer is not None else 0
        while self._pending_playback_count > still_open:
            self.on_playback_finished(playback_position=0.0, interrupted=True)

    def clear_buffer(self) -> None:
""",
        ),
    )
)
