"""A sound provider whose audio goes over a WebSocket, as small as it can be."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, ClassVar

import aiohttp
from aiohttp import web
from livekit import rtc
from livekit.agents.voice import io

from conformance.plugin import Socket, SocketSession, VendorAPI, Worker, hookimpl
from conformance.reference import adapter as reference
from conformance.reference.api import ReferenceApi, ReferenceError
from conformance.reference.avatar import SAMPLE_RATE
from tests.mutants.robust import SoundAvatar

from .mutant import SoundAdapter

logger = logging.getLogger(__name__)

URL = "wss://api.reference.test/v1/sessions/{session}/audio"
CONNECTS_WITHIN = 5.0
CLEARS_WITHIN = 2.0


class SocketSink(io.AudioOutput):
    """Sends audio over a WebSocket and hears over it what is played."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        super().__init__(
            label="socket",
            capabilities=io.AudioOutputCapabilities(pause=False),
            sample_rate=SAMPLE_RATE,
        )
        self._socket = socket
        self._sending: asyncio.Task[None] | None = None
        self._clearing: asyncio.TimerHandle | None = None
        self._started_at: float | None = None

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        await super().capture_frame(frame)
        self.send("audio", pcm=base64.b64encode(bytes(frame.data)).decode())

    def flush(self) -> None:
        super().flush()
        self.send("end")

    def clear_buffer(self) -> None:
        if self._pending_playback_count and self._clearing is None:
            self.send("clear")
            began = self._started_at
            played = time.time() - began if began is not None else 0.0
            loop = asyncio.get_running_loop()
            self._clearing = loop.call_later(CLEARS_WITHIN, self.end_all, played)

    def hear(self, event: dict[str, Any]) -> None:
        """Take what the vendor says."""
        if event["type"] == "started":
            self._started_at = time.time()
            self.on_playback_started(created_at=self._started_at)
        elif event["type"] == "finished":
            self._started_at = None
            if event["interrupted"]:
                self.end_all(event["position"])
            else:
                self.on_playback_finished(playback_position=event["position"], interrupted=False)

    def end_all(self, position: float) -> None:
        """End what is pending: the first at ``position``, the others unheard."""
        if self._clearing is not None:
            self._clearing.cancel()
            self._clearing = None
        while self._pending_playback_count:
            self.on_playback_finished(playback_position=position, interrupted=True)
            position = 0.0

    def send(self, what: str, **more: str) -> None:
        """Send an event after the earlier ones."""
        self._sending = asyncio.ensure_future(self._send(self._sending, {"type": what, **more}))

    async def _send(self, earlier: asyncio.Task[None] | None, event: dict[str, str]) -> None:
        if earlier is not None:
            await earlier
        with suppress(ConnectionError):
            await self._socket.send_json(event)


class SocketClient(ReferenceApi):
    """Opens a session and, for its avatar, the socket that belongs to it."""

    def __init__(self, api_key: str, avatar: SocketAvatar) -> None:
        super().__init__(api_key)
        self._avatar = avatar

    async def open(self, **options: str) -> str:
        session = await super().open(**options)
        try:
            await self._avatar.connect(session)
        except BaseException:
            await self.end(session)
            raise
        return session


class SocketAvatar(SoundAvatar):
    """The sound avatar, with its audio on a WebSocket."""

    _http: aiohttp.ClientSession | None = None
    _listening: asyncio.Task[None] | None = None
    _socket: aiohttp.ClientWebSocketResponse | None = None
    _own_sink: SocketSink | None = None

    def _vendor(self) -> ReferenceApi:
        return SocketClient(self._api_key, self)

    async def connect(self, session: str) -> None:
        """Open the socket, and wait until the vendor says that it is connected."""
        self._http = aiohttp.ClientSession()
        try:
            self._socket = await self._http.ws_connect(URL.format(session=session))
            await asyncio.wait_for(self._until_connected(self._socket), CONNECTS_WITHIN)
        except (aiohttp.ClientError, asyncio.TimeoutError, TypeError, ValueError) as error:
            raise ReferenceError(f"reference: no socket: {type(error).__name__}") from error
        self._listening = asyncio.ensure_future(self._listen(self._socket))

    async def _until_connected(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        while (await socket.receive_json())["type"] != "connected":
            pass

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        try:
            async for message in socket:
                if self._own_sink is not None:
                    self._own_sink.hear(json.loads(message.data))
        except ValueError:
            await socket.close()
        self._hung_up()

    def _hung_up(self) -> None:
        """The vendor has closed the socket, or makes no sense: nobody hears the agent any more."""
        logger.warning("reference: the vendor has closed the avatar's socket")
        if self._own_sink is not None:
            self._own_sink.end_all(0.0)
        self._unbind()

    def _sink(self) -> Any:
        assert self._socket is not None
        self._own_sink = SocketSink(self._socket)
        return self._own_sink

    async def _leave_room(self) -> None:
        await self._hang_up()
        await super()._leave_room()

    async def _hang_up(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.gather(self._listening, return_exceptions=True)
            self._listening = None
        if self._socket is not None:
            await self._socket.close()
            self._socket = None
        if self._http is not None:
            await self._http.close()
            self._http = None


class SocketWorker(Worker):
    """Plays what comes over its session's socket, and says so there."""

    socket: web.WebSocketResponse | None = None
    _saying: asyncio.Task[None] | None = None

    def notify_started(self) -> None:
        self._say({"type": "started"})

    def notify_finished(self, position: float, *, interrupted: bool) -> None:
        self._say({"type": "finished", "position": position, "interrupted": interrupted})

    def _say(self, event: dict[str, Any]) -> None:
        self._saying = asyncio.ensure_future(self._send(self._saying, event))

    async def _send(self, earlier: asyncio.Task[None] | None, event: dict[str, Any]) -> None:
        if earlier is not None:
            await earlier
        if self.socket is not None and not self.socket.closed:
            await self.socket.send_json(event)


async def play(session: SocketSession) -> None:
    """The vendor's side of a socket."""
    worker, player = session.worker, session.player
    assert isinstance(worker, SocketWorker)
    worker.socket = session.socket
    await session.socket.send_json({"type": "connected"})
    async for message in session.socket:
        event = json.loads(message.data)
        if event["type"] == "audio":
            player.push(base64.b64decode(event["pcm"]), SAMPLE_RATE, 1)
        elif event["type"] == "end":
            player.end_segment()
        elif event["type"] == "pause":
            player.pause()
        elif event["type"] == "resume":
            player.resume()
        else:
            player.clear()
    worker.socket = None


class SocketAdapter(SoundAdapter):
    """The adapter of the sound provider with a WebSocket."""

    avatar = SocketAvatar
    worker = SocketWorker
    manifest: ClassVar[Mapping[str, Any]] = {"transport": "websocket"}

    @hookimpl
    def vendor_backend(self) -> VendorAPI:
        """The reference vendor's calls, and a socket."""
        opening, ending = reference.vendor_backend().calls
        return VendorAPI(
            opening, Socket("audio socket", "/v1/sessions/{session}/audio", play), ending
        )
