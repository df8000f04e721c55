"""A user in the room, who reads the transcript of what the agent says."""

from __future__ import annotations

import asyncio

from livekit import rtc

from conformance.stage.interface import Stage

from .environment import USER, mint

JOIN_TIMEOUT = 10.0
"""Seconds until everybody in the room has heard of somebody who joined, on any stage."""


class SimulatedUser:
    """A simulated end user; joins the room on :meth:`join`.

    ``transcript`` has the text that was read so far, one entry for each stream of text.
    """

    def __init__(self, stage: Stage, agent: rtc.Room) -> None:
        self.transcript: list[str] = []
        self._stage = stage
        self._agent = agent
        self._user: rtc.Room | None = None
        self._reading: list[asyncio.Task[None]] = []

    async def join(self) -> rtc.Room:
        """Join the room, once.

        The agent has heard of the user when this returns: a real server tells it up to 3 s later.
        """
        if self._user is not None:
            return self._user
        server, clock = self._stage.server, self._stage.clock
        token = mint(self._stage, USER, kind="standard")
        self._user = user = await server.join(token, url=server.credentials.url)
        user.register_text_stream_handler("lk.transcription", self._on_text)
        deadline = clock.now() + JOIN_TIMEOUT
        while USER not in self._agent.remote_participants and clock.now() < deadline:
            await clock.sleep(0.05)
        return user

    async def end(self) -> None:
        """Stop reading."""
        for task in self._reading:
            task.cancel()
        await asyncio.gather(*self._reading, return_exceptions=True)

    def _on_text(self, reader: rtc.TextStreamReader, identity: str) -> None:
        self._reading.append(asyncio.ensure_future(self._read(reader)))

    async def _read(self, reader: rtc.TextStreamReader) -> None:
        index = len(self.transcript)
        self.transcript.append("")
        async for chunk in reader:
            self._stage.timeline.record("room", "text", text=chunk)
            self.transcript[index] += chunk
