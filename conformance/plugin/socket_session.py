"""One WebSocket connection to a vendor, as an adapter's handler has it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal, Protocol

from conformance.errors import KitError

if TYPE_CHECKING:
    from aiohttp import web

    from .player import Player
    from .worker import Worker


Encoding = Literal["pcm"] | Callable[[bytes], bytes]
"""How audio is sent in binary messages: 16 bit PCM, or what a function makes PCM of."""


class Joins(Protocol):
    """Brings the worker of a session into the room."""

    def __call__(
        self, *, token: str | None, url: str | None, identity: str | None
    ) -> Awaitable[Worker]:
        """Join with a token, or with one of the stage; returns the worker."""


class SocketSession:
    """One WebSocket connection to a vendor: the socket, the vendor session and its worker.

    Audio that comes over the socket goes into the worker's player (:meth:`play`); the worker's
    ``notify_started`` and ``notify_finished`` say when to report over the socket. ``first`` is the
    first message, decoded, where the `Socket` has its places there; None otherwise.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        session: str | None,
        worker: Worker | None,
        *,
        first: Any = None,
        encoding: Encoding = "pcm",
        sample_rate: int | None = None,
        channels: int = 1,
        join: Joins | None = None,
    ) -> None:
        self.socket = socket
        self.session = session
        self.first = first
        self._worker = worker
        self._encoding = encoding
        self._sample_rate = sample_rate
        self._channels = channels
        self._join = join

    @property
    def has_joined(self) -> bool:
        """Whether there is a worker."""
        return self._worker is not None

    @property
    def worker(self) -> Worker:
        """The worker; raises `KitError` before there is one."""
        if self._worker is None:
            raise KitError("the session of this socket has no worker yet: await join() first")
        return self._worker

    @property
    def player(self) -> Player:
        """The player of the worker; it remembers every segment."""
        return self.worker.player

    async def join(
        self, *, token: str | None = None, url: str | None = None, identity: str | None = None
    ) -> Worker:
        """Bring the worker into the room, when the handler has seen what the vendor waits for.

        With ``token`` where the plugin has sent one, else with one that the stage mints for
        ``identity``, or for the avatar's own. Raises `KitError` where there is a worker already.
        """
        if self._worker is not None or self._join is None:
            raise KitError("the session of this socket has its worker already")
        self._worker = await self._join(token=token, url=url, identity=identity)
        return self._worker

    def play(self, audio: bytes, *, sample_rate: int | None = None) -> None:
        """Take the audio of a binary message, in the socket's encoding and the declared format.

        Raises `KitError` where neither the manifest nor ``sample_rate`` says the rate.
        """
        rate = sample_rate or self._sample_rate
        if rate is None:
            raise KitError("the manifest declares no sample_rate: give play() one")
        pcm = self._encoding(audio) if callable(self._encoding) else audio
        self.player.push(pcm, rate, self._channels)
