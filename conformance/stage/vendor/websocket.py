"""A WebSocket of a vendor's API, played by its adapter's handler, with the socket faults."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from aiohttp import web

from conformance.plugin.room import Clock
from conformance.plugin.vendor_api import Socket, SocketSession
from conformance.plugin.worker import Worker
from conformance.stage.faults import Fault

_LOOK_EVERY = 0.02
_MID_SPEECH = 0.1
"""How many seconds into the speech the socket is closed."""


async def serve_socket(
    endpoint: Socket,
    request: web.BaseRequest,
    session: str | None,
    worker: Worker,
    fault: Fault | None,
    *,
    clock: Clock,
    object_to: Callable[[str], None],
) -> web.WebSocketResponse:
    """Serve until either side closes; ``object_to`` is told what the handler stumbled over."""
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
    closing: asyncio.Task[None] | None = None
    if kind == "socket-closed-mid-speech":
        closing = asyncio.get_running_loop().create_task(_close_mid_speech(socket, worker, clock))
    code = 1000
    try:
        await endpoint.handler(SocketSession(socket, session, worker))
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


async def _close_mid_speech(socket: web.WebSocketResponse, worker: Worker, clock: Clock) -> None:
    while not worker.player.playing:
        await clock.sleep(_LOOK_EVERY)
    await clock.sleep(_MID_SPEECH)
    await socket.close(code=1011, message=b"internal error")
