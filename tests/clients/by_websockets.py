"""A plugin whose audio goes over a WebSocket of the websockets library."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

import websockets
from websockets.asyncio.client import ClientConnection, connect

from conformance.reference.api import ReferenceError
from tests.mutants.socket_provider import CONNECTS_WITHIN, URL, SocketAdapter, SocketAvatar

OPENS_WITHIN = 25.0


class Message(NamedTuple):
    """A text message."""

    data: str


class Connection:
    """A connection of websockets', as the avatar with a socket uses it."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def send_json(self, event: Any) -> None:
        try:
            await self._connection.send(json.dumps(event))
        except websockets.ConnectionClosed as error:
            raise ConnectionError(str(error)) from error

    async def receive_json(self) -> Any:
        try:
            return json.loads(await self._connection.recv())
        except websockets.ConnectionClosed as error:
            raise TypeError("closed") from error

    async def __aiter__(self) -> Any:
        try:
            async for message in self._connection:
                yield Message(str(message))
        except websockets.ConnectionClosed:
            return

    async def close(self) -> None:
        await self._connection.close()


class WebsocketsAvatar(SocketAvatar):
    """The avatar with a socket, which websockets opens."""

    async def connect(self, session: str) -> None:
        """Open the socket, and wait until the vendor says that it is connected."""
        try:
            connection = await connect(URL.format(session=session), open_timeout=OPENS_WITHIN)
            self._socket = socket = Connection(connection)  # type: ignore[assignment]
            await asyncio.wait_for(self._until_connected(socket), CONNECTS_WITHIN)  # type: ignore[arg-type]
        except (
            OSError,
            websockets.WebSocketException,
            asyncio.TimeoutError,
            TypeError,
            ValueError,
        ) as error:
            raise ReferenceError(f"reference: no socket: {type(error).__name__}") from error
        self._listening = asyncio.ensure_future(self._listen(socket))  # type: ignore[arg-type]


class WebsocketsAdapter(SocketAdapter):
    """The adapter of the provider with a WebSocket of websockets'."""

    avatar = WebsocketsAvatar
