"""The job that an agent runs in, without a worker process around it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from livekit import rtc
from livekit.agents import job as host_job
from livekit.agents import utils

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
    async with _http_session():
        with _current(room, agent_identity) as context:
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


@asynccontextmanager
async def _http_session() -> AsyncIterator[None]:
    opened = getattr(utils.http_context, "open", None)
    if opened is not None:
        async with opened():
            yield
        return
    # livekit-agents 1.5 opens it in its worker process only
    utils.http_context._new_session_ctx()
    try:
        yield
    finally:
        await utils.http_context._close_http_ctx()


@contextmanager
def _current(room: rtc.Room, agent_identity: str) -> Iterator[host_job.JobContext]:
    try:
        from livekit.agents.testing import fake_job_context
    except ImportError:  # livekit-agents 1.5 has none
        with _own_context(room, agent_identity) as context:
            yield context
        return
    with fake_job_context(room=room, agent_identity=agent_identity) as context:
        yield context


@contextmanager
def _own_context(room: rtc.Room, agent_identity: str) -> Iterator[host_job.JobContext]:
    from livekit.protocol import agent, models

    info = host_job.RunningJobInfo(
        accept_arguments=host_job.JobAcceptArguments(name="", identity=agent_identity, metadata=""),
        job=agent.Job(id="fake-job", room=models.Room(name=room.name), type=agent.JobType.JT_ROOM),
        url="",
        token="",
        worker_id="fake",
        fake_job=True,
    )
    context = host_job.JobContext(
        proc=host_job.JobProcess(
            executor_type=host_job.JobExecutorType.THREAD, user_arguments=None, http_proxy=None
        ),
        info=info,
        room=room,
        on_connect=lambda: None,
        on_shutdown=lambda _reason: None,
        inference_executor=_NoInference(),
    )
    context._connected = True
    current = host_job._JobContextVar.set(context)
    try:
        yield context
    finally:
        host_job._JobContextVar.reset(current)


class _NoInference:
    async def do_inference(self, method: str, data: bytes) -> bytes | None:
        raise RuntimeError("no model runs locally in a conformance check")


def _trace_calls(room: rtc.Room) -> None:
    """Trace RPCs as the host does once an agent has connected, where this host does."""
    try:
        from livekit.agents.telemetry import rpc
    except ImportError:
        return
    install: Any = rpc.install
    install(room.local_participant)
