"""Audio outputs that mutants put into the chain."""

from __future__ import annotations

from livekit import rtc
from livekit.agents.voice import io


class Passing(io.AudioOutput):
    """A wrapper that passes everything on."""

    def __init__(self, below: io.AudioOutput) -> None:
        super().__init__(
            label="mutant",
            capabilities=io.AudioOutputCapabilities(pause=True),
            next_in_chain=below,
            sample_rate=below.sample_rate,
        )

    @property
    def below(self) -> io.AudioOutput:
        """What it passes everything on to."""
        assert self.next_in_chain is not None
        return self.next_in_chain

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        await self.below.capture_frame(frame)

    def flush(self) -> None:
        super().flush()
        self.below.flush()

    def clear_buffer(self) -> None:
        self.below.clear_buffer()
