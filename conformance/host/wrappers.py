"""The wrappers that an agent session puts above its tail, without a session around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from livekit.agents.voice import io
from livekit.agents.voice.recorder_io import RecorderIO
from livekit.agents.voice.transcription.synchronizer import TranscriptSynchronizer


@dataclass
class SegmentCalls:
    """How often a synchronizer ended its audio input, and how often it rotated its segment."""

    inputs_ended: int = 0
    rotations: int = 0


class SessionWrappers:
    """The recorder's wrapper above the synchronizer's, as a recording session has them."""

    def __init__(self) -> None:
        self._synchronizer: Any = None

    def above(self, tail: io.AudioOutput) -> io.AudioOutput:
        """Build the wrappers above ``tail``, once; returns the top of the chain."""
        self._synchronizer = TranscriptSynchronizer(
            next_in_chain_audio=tail, next_in_chain_text=None
        )
        recorder = RecorderIO(agent_session=_NO_SESSION)
        return recorder.record_output(self._synchronizer.audio_output)

    @property
    def text(self) -> io.TextOutput:
        """Where the transcript goes in."""
        text: io.TextOutput = self._synchronizer.text_output
        return text

    async def rotated(self) -> None:
        """Wait until the synchronizer is ready for the next segment."""
        await self._synchronizer.barrier()

    def count_calls(self) -> SegmentCalls:
        """Count the calls from now on, for the segment that is open now."""
        calls = SegmentCalls()
        impl = self._synchronizer._impl
        end_audio_input, rotate_segment = impl.end_audio_input, self._synchronizer.rotate_segment

        def ended() -> None:
            calls.inputs_ended += 1
            end_audio_input()

        def rotated() -> None:
            calls.rotations += 1
            rotate_segment()

        impl.end_audio_input, self._synchronizer.rotate_segment = ended, rotated
        return calls

    async def aclose(self) -> None:
        """Close the synchronizer."""
        if self._synchronizer is not None:
            await self._synchronizer.aclose()


_NO_SESSION: Any = None
