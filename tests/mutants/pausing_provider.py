"""A sound provider that can pause: its avatar holds back, over a WebSocket, what it has."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import aiohttp
from livekit.agents.voice import io

from conformance.reference import adapter as reference

from .socket_provider import SocketAdapter, SocketAvatar, SocketSink


class PausingSink(SocketSink):
    """The sound sink, which tells the avatar to pause and does not count while it does."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        super().__init__(socket)
        self._capabilities = io.AudioOutputCapabilities(pause=True)
        self._paused_at: float | None = None

    def pause(self) -> None:
        super().pause()
        if self._paused_at is None:
            self._paused_at = time.time()
            self.send("pause")

    def resume(self) -> None:
        super().resume()
        if self._paused_at is not None:
            self._go_on()
            self.send("resume")

    def clear_buffer(self) -> None:
        if self._paused_at is not None:
            self._go_on()
        super().clear_buffer()

    def _go_on(self) -> None:
        """Leave out of what has been played the time of the pause."""
        if self._started_at is not None and self._paused_at is not None:
            self._started_at += time.time() - self._paused_at
        self._paused_at = None


class PausingAvatar(SocketAvatar):
    """The sound avatar with a WebSocket, and a sink that can pause."""

    sink: ClassVar[Callable[..., PausingSink]] = PausingSink

    def _sink(self) -> Any:
        assert self._socket is not None
        self._own_sink = type(self).sink(self._socket)
        return self._own_sink


class PausingAdapter(SocketAdapter):
    """The adapter of the sound provider that pauses, and says so."""

    avatar = PausingAvatar
    manifest: ClassVar[Mapping[str, Any]] = {
        "transport": "websocket",
        "capabilities": {**reference.avatar_provider_manifest()["capabilities"], "pause": True},
    }
