"""The audio of an agent on its way to a worker: byte streams out, playback calls back."""

from __future__ import annotations

import contextlib
import json
from typing import Protocol

from livekit import rtc

from conformance.plugin.room import Clock

from .audible_code import Samples
from .recording import Report

TOPIC = "lk.audio_stream"
STARTED = "lk.playback_started"
FINISHED = "lk.playback_finished"
CLEAR = "lk.clear_buffer"
CHUNK = 0.1
"""Length of a write in seconds."""


class Line(Protocol):
    """The way to one avatar. What it reports is in ``started`` and ``finished``, oldest first."""

    started: list[Report]
    finished: list[Report]

    async def send(self, samples: Samples, sample_rate: int) -> None:
        """Send audio of the open segment; opens one where none is."""

    async def end(self) -> None:
        """End the open segment, an empty one where nothing was sent."""

    async def lose_end(self) -> None:
        """Leave the open segment without its end, as when the end is lost on its way."""

    async def clear(self) -> None:
        """Interrupt what plays and drop what is queued."""


class WorkerLine:
    """A line to the worker ``identity``, over byte streams from the agent's ``room``."""

    def __init__(self, room: rtc.Room, clock: Clock, identity: str) -> None:
        self.started: list[Report] = []
        self.finished: list[Report] = []
        self.strange_reports: list[str] = []
        self._room = room
        self._clock = clock
        self._identity = identity
        self._stream: rtc.ByteStreamWriter | None = None
        self._lost: list[rtc.ByteStreamWriter] = []
        room.local_participant.register_rpc_method(STARTED, self._on_started)
        room.local_participant.register_rpc_method(FINISHED, self._on_finished)

    async def send(self, samples: Samples, sample_rate: int) -> None:
        """Send audio of the open segment; opens one where none is."""
        stream = await self._open(sample_rate)
        step = round(CHUNK * sample_rate)
        for start in range(0, len(samples), step):
            await stream.write(samples[start : start + step].tobytes())

    async def end(self) -> None:
        """End the open segment, an empty one where nothing was sent."""
        stream = self._stream or await self._open(24000)
        self._stream = None
        await stream.aclose()

    async def lose_end(self) -> None:
        """Leave the open segment without its trailer."""
        if self._stream is not None:
            self._lost.append(self._stream)
            self._stream = None

    async def clear(self) -> None:
        """Call ``lk.clear_buffer``; the worker's refusal, or its silence, is no error here."""
        if self._stream is not None:
            await self.end()
        with contextlib.suppress(rtc.RpcError):
            await self._room.local_participant.perform_rpc(
                destination_identity=self._identity, method=CLEAR, payload=""
            )

    async def _open(self, sample_rate: int) -> rtc.ByteStreamWriter:
        if self._stream is None:
            self._stream = await self._room.local_participant.stream_bytes(
                name=f"AUDIO_{len(self.finished)}_{self._clock.now():.3f}",
                topic=TOPIC,
                destination_identities=[self._identity],
                attributes={"sample_rate": str(sample_rate), "num_channels": "1"},
            )
        return self._stream

    def _on_started(self, call: rtc.RpcInvocationData) -> str:
        if call.caller_identity == self._identity:
            self.started.append(Report(self._clock.now()))
        return "ok"

    def _on_finished(self, call: rtc.RpcInvocationData) -> str:
        if call.caller_identity == self._identity:
            said = json.loads(call.payload)
            self.finished.append(
                Report(
                    self._clock.now(), float(said["playback_position"]), bool(said["interrupted"])
                )
            )
        return "ok"


__all__ = ["Line", "WorkerLine"]
