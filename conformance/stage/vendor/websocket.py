"""A WebSocket of a vendor's API, played by its adapter's handler, with the socket faults."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from conformance.errors import KitError
from conformance.plugin.room import Clock
from conformance.plugin.socket_session import SocketSession
from conformance.plugin.vendor_api import Socket
from conformance.plugin.vendor_messages import decoded
from conformance.stage.faults import Fault

_LOOK_EVERY = 0.02
_MID_SPEECH = 0.1
"""How many seconds into the speech the socket is closed."""


@dataclass(frozen=True)
class OpenedSocket:
    """What a socket is about; ``closed`` is called when it is over."""

    conversation: SocketSession
    closed: Callable[[], None] | None = None


OpenSession = Callable[[web.WebSocketResponse, Any], "OpenedSocket | None"]
"""Finds what a socket is about, given its first message where that says so."""


async def serve_socket(
    endpoint: Socket,
    request: web.BaseRequest,
    fault: Fault | None,
    *,
    clock: Clock,
    open_session: OpenSession,
    object_to: Callable[[str], None],
    failed: Callable[[Exception], None],
) -> web.WebSocketResponse:
    """Serve until either side closes.

    ``object_to`` is told what the handler stumbled over, ``failed`` what is wrong with the handler.
    """
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    kind = fault.kind if fault is not None else None
    if kind == "socket-closed-at-once":
        await socket.close(code=1011, message=b"internal error")
        return socket
    if kind == "socket-never-connected":
        async for _ in socket:
            pass
        return socket
    if kind == "socket-frame-not-json":
        await socket.send_str("{this is no JSON")
    first = await _first_message(socket) if endpoint.has_first_message else None
    if endpoint.has_first_message and first is None:
        return socket  # it was closed before it said what it is about
    opened = open_session(socket, first)
    if opened is None:
        await socket.close(code=1008, message=b"not understood")
        return socket
    try:
        return await _converse(endpoint, opened.conversation, fault, clock, object_to, failed)
    finally:
        if opened.closed is not None:
            opened.closed()


async def _first_message(socket: web.WebSocketResponse) -> Any:
    message = await socket.receive()
    if message.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
        return None
    return decoded(message.data)


async def _converse(
    endpoint: Socket,
    session: SocketSession,
    fault: Fault | None,
    clock: Clock,
    object_to: Callable[[str], None],
    failed: Callable[[Exception], None],
) -> web.WebSocketResponse:
    socket = session.socket
    kind = fault.kind if fault is not None else None
    closing: asyncio.Task[None] | None = None
    if kind == "socket-closed-mid-speech":
        closing = asyncio.get_running_loop().create_task(_close_mid_speech(session, clock))
    elif fault is not None and kind == "socket-closed-idle":
        closing = asyncio.get_running_loop().create_task(_close_after(fault.delay, socket, clock))
    code = 1000
    try:
        await endpoint.handler(session)
    except KitError as error:
        failed(error)
        code = 1011
    except (ConnectionError, RuntimeError) as error:
        if not socket.closed:
            object_to(f"{endpoint.name}: could not go on: {type(error).__name__}")
            code = 1011
    except Exception as error:  # what the plugin has sent made the adapter's handler stumble
        object_to(f"{endpoint.name}: could not make sense of a message: {type(error).__name__}")
        code = 1011
    finally:
        if closing is not None:
            closing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await closing
    if not socket.closed:
        await socket.close(code=code)
    return socket


async def _close_mid_speech(session: SocketSession, clock: Clock) -> None:
    while not (session.has_joined and session.player.playing):
        await clock.sleep(_LOOK_EVERY)
    await clock.sleep(_MID_SPEECH)
    await session.socket.close(code=1011, message=b"internal error")


async def _close_after(delay: float, socket: web.WebSocketResponse, clock: Clock) -> None:
    await clock.sleep(delay)
    await socket.close(code=1001, message=b"going away")
