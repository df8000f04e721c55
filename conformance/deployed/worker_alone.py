"""A worker alone: a command that is given a room's URL and a token, and no plugin or API."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from livekit import rtc

from conformance.host import publish_on_behalf_attribute
from conformance.live.stage import LiveStage

from .scene import AGENT, Deployed, token
from .wire import Line, WorkerLine
from .worker_process import WorkerProcess

IDENTITY = "avatar"
SAMPLE_RATE = 24000


class StartedWorker:
    """A worker's process and the line to its participant."""

    takes_any_rate = True
    through_gateway = True

    def __init__(self, process: WorkerProcess, line: WorkerLine) -> None:
        self.identity = IDENTITY
        self.sample_rate = SAMPLE_RATE
        self.line: Line = line
        self._process = process
        self._how_it_ended = ""

    @property
    def ended(self) -> str:
        """How the process ended by itself; empty while it runs."""
        self._how_it_ended = self._how_it_ended or self._process.ended
        return self._how_it_ended

    async def close(self) -> None:
        """End the process."""
        self._how_it_ended = self.ended
        await asyncio.get_running_loop().run_in_executor(None, self._process.end)


@dataclass(frozen=True)
class WorkerAlone:
    """The worker that ``command`` starts."""

    command: tuple[str, ...]
    name: str = "worker"

    async def bring(self, stage: LiveStage, agent: rtc.Room) -> Deployed:
        """Start the command, with a token for the room that ``agent`` is in."""
        line = WorkerLine(agent, stage.clock, IDENTITY)
        minted = token(
            stage, IDENTITY, kind="agent", attributes={publish_on_behalf_attribute(): AGENT}
        )
        process = WorkerProcess(self.command, stage.server.credentials.url, minted)
        return StartedWorker(process, line)


__all__ = ["WorkerAlone"]
