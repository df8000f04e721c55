"""HD-11: a sink that is replaced within a segment is cleared, and the segment left open in it."""

from __future__ import annotations

import asyncio

from livekit import rtc
from livekit.agents.voice import io


class Sink(io.AudioOutput):
    """The end of a chain; it plays when it is told to."""

    def __init__(self, label: str, above: io.AudioOutput | None = None) -> None:
        super().__init__(
            label=label, next_in_chain=above, capabilities=io.AudioOutputCapabilities(pause=False)
        )
        self.told: list[str] = []

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        self.told.append("capture")
        if self.next_in_chain is not None:
            await self.next_in_chain.capture_frame(frame)

    def flush(self) -> None:
        super().flush()
        self.told.append("flush")
        if self.next_in_chain is not None:
            self.next_in_chain.flush()

    def clear_buffer(self) -> None:
        self.told.append("clear")
        if self.next_in_chain is not None:
            self.next_in_chain.clear_buffer()


def chain(tail: io.AudioOutput) -> tuple[io.AgentOutput, io.AudioOutput]:
    """An agent's output with one wrapper above ``tail``."""
    output = io.AgentOutput(lambda: None, lambda: None, lambda: None)
    top = Sink("wrapper", tail)
    output.audio = top
    return output, top


def speech(seconds: float) -> rtc.AudioFrame:
    samples = int(seconds * 24000)
    return rtc.AudioFrame(bytes(2 * samples), 24000, 1, samples)


async def reproduce() -> None:
    old, new = Sink("old"), Sink("new")
    output, top = chain(old)
    await top.capture_frame(speech(2.0))
    output.replace_audio_tail(new)
    assert old.told == ["capture", "flush", "clear"], f"the old sink was told {old.told}"


if __name__ == "__main__":
    asyncio.run(reproduce())
