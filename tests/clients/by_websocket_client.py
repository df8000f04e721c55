"""A plugin whose audio goes over a WebSocket of websocket-client, which blocks threads."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import websocket

from conformance.reference.api import ReferenceError
from tests.mutants.socket_provider import CONNECTS_WITHIN, URL, SocketAdapter, SocketAvatar

from .by_websockets import OPENS_WITHIN, Message


class Connection:
    """A connection of websocket-client's, read by a thread of its own."""

    def __init__(self, connection: websocket.WebSocket) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._received: asyncio.Queue[str | None] = asyncio.Queue()
        self._reader = threading.Thread(target=self._read, name="reader", daemon=True)
        self._reader.start()

    async def send_json(self, event: Any) -> None:
        try:
            await asyncio.to_thread(self._connection.send, json.dumps(event))
        except (websocket.WebSocketException, OSError) as error:
            raise ConnectionError(str(error)) from error

    async def receive_json(self) -> Any:
        text = await self._received.get()
        if text is None:
            raise TypeError("closed")
        return json.loads(text)

    async def __aiter__(self) -> AsyncIterator[Message]:
        while (text := await self._received.get()) is not None:
            yield Message(text)

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._connection.abort()  # wakes the reader, which shutdown() does not
        self._reader.join()
        self._connection.shutdown()

    def _read(self) -> None:
        text: str | None = ""
        while text is not None:
            try:
                text = self._connection.recv() or None
            except (websocket.WebSocketException, OSError, ValueError):
                text = None
            self._loop.call_soon_threadsafe(self._received.put_nowait, text)


class WebsocketClientAvatar(SocketAvatar):
    """The avatar with a socket, which websocket-client opens."""

    async def connect(self, session: str) -> None:
        """Open the socket, and wait until the vendor says that it is connected."""
        try:
            connection = await asyncio.to_thread(
                websocket.create_connection, URL.format(session=session), timeout=OPENS_WITHIN
            )
            connection.settimeout(None)
            self._socket = socket = Connection(connection)  # type: ignore[assignment]
            await asyncio.wait_for(self._until_connected(socket), CONNECTS_WITHIN)  # type: ignore[arg-type]
        except (
            OSError,
            websocket.WebSocketException,
            asyncio.TimeoutError,
            TypeError,
            ValueError,
        ) as error:
            raise ReferenceError(f"reference: no socket: {type(error).__name__}") from error
        self._listening = asyncio.ensure_future(self._listen(socket))  # type: ignore[arg-type]


class WebsocketClientAdapter(SocketAdapter):
    """The adapter of the provider with a WebSocket of websocket-client's."""

    avatar = WebsocketClientAvatar
