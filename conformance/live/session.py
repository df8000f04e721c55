"""The live stage of a whole run: opened when its first check wants it, closed with the run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from conformance.plugin.room import Credentials
from conformance.plugin.watchdog import PATIENCE
from conformance.stage.interface import Stage, StageLost

from .launcher import LiveServer, ServerFailed, ServerMissing, find_server
from .stage import LIMIT, LiveRunner, TooLong

T = TypeVar("T")


class LiveSession:
    """A stage runner on the server with ``credentials``, or on one of its own.

    A server of its own is started by the first check and ended by :meth:`close`, or with the
    process. Raises `ServerMissing` where there is none to start; one that does not come up, or
    goes away, makes every check raise `StageLost`. ``limit`` is how many seconds a check may take.
    """

    name = "live"
    virtual = False
    hangs: tuple[type[Exception], ...] = (TooLong,)

    def __init__(self, credentials: Credentials | None = None, *, limit: float = LIMIT) -> None:
        self._credentials = credentials
        self._limit = limit
        self.patience = limit + PATIENCE
        self._executable = find_server() if credentials is None else None
        self._server: LiveServer | None = None
        self._runner: LiveRunner | None = None
        self._failure: ServerFailed | ServerMissing | None = None

    @property
    def server(self) -> LiveServer | None:
        """The server of its own, once it runs."""
        return self._server

    def in_real_time(self) -> LiveSession:
        """Itself."""
        return self

    def run(self, scenario: Callable[[Stage], Awaitable[T]], *, seed: int | None = None) -> T:
        """Run ``scenario`` on a fresh stage; as `LiveRunner.run`."""
        if self._failure is not None:
            raise StageLost(str(self._failure))
        if self._runner is None:
            self._runner = LiveRunner.of(self._credentials or self._start(), limit=self._limit)
        return self._runner.run(scenario, seed=seed)

    def close(self) -> None:
        """End the server of its own."""
        if self._server is not None:
            self._server.stop()

    def _start(self) -> Credentials:
        try:
            self._server = LiveServer.start(self._executable)
        except (ServerFailed, ServerMissing) as error:
            # Asked once: each later check would wait as long for the same answer.
            self._failure = error
            raise StageLost(str(error)) from error
        return self._server.credentials


__all__ = ["LiveSession"]
