"""A job for the listeners of a room that is connected before its job begins.

In production an agent's room is connected inside the job, and its listeners and RPC handlers find
the job context and the HTTP session that plugins share. They run in a copy of the context that
`Room.connect` was called in, which cannot be changed afterwards, so placeholders are put there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from livekit.agents import job as host_job
from livekit.agents.utils import http_context


class LateJob:
    """Stands for a job context that is to come; forwards to it once it is there."""

    def __init__(self) -> None:
        self._context: host_job.JobContext | None = None
        self._http_session: Callable[[], Any] | None = None

    def __getattr__(self, name: str) -> Any:
        if self._context is None:
            raise RuntimeError("no job context found: the job has not begun, or is over")
        return getattr(self._context, name)

    def http_session(self) -> Any:
        """The HTTP session of the job; raises RuntimeError before it and after it."""
        if self._http_session is None:
            raise RuntimeError("no HTTP session found: the job has not begun, or is over")
        return self._http_session()

    @contextmanager
    def begun(self, context: host_job.JobContext) -> Iterator[None]:
        """Be ``context``, with the HTTP session that is current, during the block."""
        self._context = context
        self._http_session = http_context._ContextVar.get(None)
        try:
            yield
        finally:
            self._context = self._http_session = None


@contextmanager
def job_to_come() -> Iterator[LateJob]:
    """Make a job that begins later visible to tasks that are started in the block."""
    late: Any = LateJob()
    before = host_job._JobContextVar.set(late)
    session_before = http_context._ContextVar.set(late.http_session)
    try:
        yield late
    finally:
        http_context._ContextVar.reset(session_before)
        host_job._JobContextVar.reset(before)
