"""HD-15: speech that a swap cuts short is remembered as if it had been heard to the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession
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


def speech(seconds: float) -> rtc.AudioFrame:
    samples = int(seconds * 24000)
    return rtc.AudioFrame(bytes(2 * samples), 24000, 1, samples)


async def reproduce() -> None:
    session: AgentSession[Any] = AgentSession()
    old, new = Sink("old"), Sink("new")
    session.output.audio = Sink("wrapper", old)
    items: list[Any] = []
    session.on("conversation_item_added", lambda event: items.append(event.item))
    await session.start(Agent(instructions=""))

    async def audio() -> AsyncIterator[rtc.AudioFrame]:
        yield speech(3.0)

    said = session.say("one two three", audio=audio())
    while "flush" not in old.told:
        await asyncio.sleep(0.01)
    old.on_playback_started(created_at=time.time() - 1.0)
    session.output.replace_audio_tail(new)
    await said
    await session.aclose()
    assert [item.interrupted for item in items if item.type == "message"] == [True], (
        "the swap cut the speech short, and the conversation has it as heard to the end"
    )


if __name__ == "__main__":
    asyncio.run(reproduce())
