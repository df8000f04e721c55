"""A job for the listeners of a room that is connected before its job begins.

In production an agent's room is connected inside the job, and its listeners and RPC handlers find
the job context. They run in a copy of the context that `Room.connect` was called in, which cannot
be changed afterwards, so a placeholder is put there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from livekit.agents import job as host_job


class LateJob:
    """Stands for a job context that is to come; forwards to it once it is there."""

    def __init__(self) -> None:
        self._context: host_job.JobContext | None = None

    def __getattr__(self, name: str) -> Any:
        if self._context is None:
            raise RuntimeError("no job context found: the job has not begun, or is over")
        return getattr(self._context, name)

    @contextmanager
    def begun(self, context: host_job.JobContext) -> Iterator[None]:
        """Be ``context`` during the block."""
        self._context = context
        try:
            yield
        finally:
            self._context = None


@contextmanager
def job_to_come() -> Iterator[LateJob]:
    """Let what is started in the block find a job that begins later."""
    late: Any = LateJob()
    before = host_job._JobContextVar.set(late)
    try:
        yield late
    finally:
        host_job._JobContextVar.reset(before)
