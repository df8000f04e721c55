"""The job that an agent runs in, without a worker process around it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from livekit import rtc
from livekit.agents import job as host_job
from livekit.agents import utils
from livekit.agents.testing import fake_job_context

logger = logging.getLogger(__name__)

SESSION_CLOSE_TIMEOUT = 60.0
"""Seconds that the host gives a session to close at the end of a job."""


class Job:
    """A job that is running. ``context`` is the host's own job context."""

    def __init__(self, context: host_job.JobContext) -> None:
        self.context = context
        self._ended = False

    @property
    def session_directory(self) -> Path:
        """Where the host records the session; gone once the job is over."""
        return Path(self.context.session_directory)

    async def shutdown(self, reason: str = "") -> tuple[Exception, ...]:
        """End the job in the host's order: session, room, then all shutdown callbacks at once.

        Returns what the callbacks raised, which the host only logs. Does nothing the second time.
        """
        if self._ended:
            return ()
        self._ended = True
        session = self.context._primary_agent_session
        if session is not None:
            try:
                await asyncio.wait_for(session.aclose(), SESSION_CLOSE_TIMEOUT)
            except asyncio.TimeoutError:
                logger.error("the session did not close within %g s", SESSION_CLOSE_TIMEOUT)
        await self.context.room.disconnect()
        results = await asyncio.gather(
            *(callback(reason) for callback in self.context._shutdown_callbacks),
            return_exceptions=True,
        )
        raised = tuple(result for result in results if isinstance(result, Exception))
        for error in raised:
            logger.error("a shutdown callback of the job raised", exc_info=error)
        return raised


@asynccontextmanager
async def job_context(
    room: rtc.Room, *, token: str, url: str, agent_identity: str
) -> AsyncIterator[Job]:
    """Make a job current for the agent in ``room``, with the HTTP session that plugins share.

    ``token`` is the one that the agent has joined with, so that the context knows its claims.
    """
    async with utils.http_context.open():
        with fake_job_context(room=room, agent_identity=agent_identity) as context:
            info = context._info
            info.token = token
            info.url = url
            info.job.room.name = room.name
            info.job.room.sid = await room.sid
            _trace_calls(room)
            try:
                yield Job(context)
            finally:
                room.off("participant_connected", context._participant_available)
                context._tempdir.cleanup()


def _trace_calls(room: rtc.Room) -> None:
    """Trace RPCs as the host does once an agent has connected, where this host does."""
    try:
        from livekit.agents.telemetry import rpc
    except ImportError:
        return
    install: Any = rpc.install
    install(room.local_participant)
