"""Mutants of the provider whose audio goes over a WebSocket."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from conformance.endpoint import swap_audio_endpoint
from conformance.reference.api import ReferenceError

from .mutant import Kill, mutant
from .socket_provider import URL, SocketAdapter, SocketAvatar

CLOSED, SILENT = "socket-closed-at-once", "socket-never-connected"


class Socketed(SocketAvatar):
    """The sound avatar with a WebSocket, to be changed."""

    adapter = SocketAdapter


@mutant(
    Kill("FAULT-01", "start() returned as if it had worked", CLOSED),
    Kill("FAULT-01", "start() returned as if it had worked", SILENT),
    story="liveavatar: a socket that fails is reported by 'Task exception was never retrieved'",
)
class SocketFailsUnseen(Socketed):
    async def connect(self, session: str) -> None:
        try:
            await super().connect(session)
        except ReferenceError:
            return

    def _bind(self) -> None:
        if self._socket is not None:
            super()._bind()


@mutant(
    Kill("FAULT-02", "which no avatar will ever serve", CLOSED),
    Kill("FAULT-02", "which no avatar will ever serve", SILENT),
    Kill("FAULT-06", "which no avatar will ever serve"),
    story="liveavatar: bound before the socket is connected",
)
class BoundBeforeTheSocket(Socketed):
    async def connect(self, session: str) -> None:
        assert self._own_session is not None
        swap_audio_endpoint(self._own_session.output, None)
        await super().connect(session)


@mutant(
    Kill("FAULT-03", "nothing is left after", CLOSED),
    Kill("FAULT-03", "nothing is left after", SILENT),
    Kill("UNBIND-04", "WebSocket to the vendor"),
    story="liveavatar: the socket stays open after aclose()",
)
class LeavesTheSocket(Socketed):
    async def _hang_up(self) -> None:
        if self._listening is not None:
            self._listening.cancel()


@mutant(
    Kill("FAULT-01", "start() was still waiting", SILENT),
    story="thought: a client that waits for 'connected' without a bound",
)
class WaitsForTheSocket(Socketed):
    async def connect(self, session: str) -> None:
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(URL.format(session=session))
        try:
            await self._until_connected(self._socket)
        except (TypeError, ValueError) as error:
            raise ReferenceError("reference: no socket") from error
        self._listening = asyncio.ensure_future(self._listen(self._socket))


@mutant(
    Kill("PLAY-04", "within"),
    story="liveavatar: an interruption before it is connected finishes nothing",
)
class DeafBeforeConnected(Socketed):
    """Returns before it is connected, and forgets what is interrupted until then."""

    connected = False

    async def _until_connected(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async def wait() -> None:
            await SocketAvatar._until_connected(self, socket)
            self.connected = True

        self._waiting = asyncio.ensure_future(wait())

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await asyncio.gather(self._waiting, return_exceptions=True)
        await super()._listen(socket)

    def _sink(self) -> Any:
        sink = super()._sink()
        plain = sink.clear_buffer

        def clear() -> None:
            if self.connected:
                plain()

        sink.clear_buffer = clear
        return sink


@mutant(
    Kill("FAULT-13", "the speech completes within", "socket-closed-idle"),
    Kill("FAULT-13", "the speech completes within", "socket-closed-mid-speech"),
    story="reported: the vendor closed the socket, and the agent waits for its word for ever",
)
class WaitsAtADeadSocket(Socketed):
    def _hung_up(self) -> None:
        return


@mutant(
    Kill("FAULT-13", "nobody was told", "socket-closed-idle"),
    Kill("FAULT-13", "nobody was told", "socket-closed-mid-speech"),
    story="reported: the avatar froze in the middle of a call, and nothing was logged",
)
class HangsUpWithoutAWord(Socketed):
    def _hung_up(self) -> None:
        self._unbind()


@mutant(
    Kill("FAULT-13", "the speech completes within", "socket-frame-not-json"),
    story="thought: one message that is no JSON ends the task that reads the socket, unseen",
)
class StumblesOverAMessage(Socketed):
    async def _until_connected(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        return

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            event = json.loads(message.data)
            if self._own_sink is not None and event["type"] != "connected":
                self._own_sink.hear(event)
        self._hung_up()
