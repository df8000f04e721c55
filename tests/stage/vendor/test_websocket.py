from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from conformance.plugin.vendor_api import Socket, SocketSession
from conformance.stage.faults import Fault
from conformance.stage.vendor.backend import MemoryBackend
from tests.stage.vendor.acme import HOST, Acme, create_call, play


async def _converse(session: SocketSession) -> None:
    async for message in session.socket:
        if message.type is aiohttp.WSMsgType.BINARY:
            session.player.push(message.data, 24000, 1)
        else:
            await session.socket.send_json({"heard": json.loads(message.data)})


SOCKET = Socket("audio socket", "/v1/sessions/{session}/audio", _converse)
SOCKET_URL = f"wss://{HOST}/v1/sessions/session-1/audio"


def test_a_socket_is_played_by_the_adapters_handler() -> None:
    """The handler gets the session's worker and talks to the plugin's own client."""

    async def scenario(backend: MemoryBackend, acme: Acme) -> None:
        await acme.create()
        async with acme.session.ws_connect(SOCKET_URL) as client:
            await client.send_json("hello")
            assert await client.receive_json() == {"heard": "hello"}
            await client.send_bytes(bytes(480))
            await client.send_json("again")
            await client.receive_json()
            assert backend.workers[0].pcm == bytes(480)
        assert backend.request_violations == ()
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await acme.session.ws_connect(SOCKET_URL.replace("session-1", "session-7"))

    play(scenario, create_call(), SOCKET)


def test_a_socket_message_that_makes_no_sense_is_an_objection() -> None:
    """What the handler stumbles over is noted, and the socket closed."""

    async def scenario(backend: MemoryBackend, acme: Acme) -> None:
        await acme.create()
        async with acme.session.ws_connect(SOCKET_URL) as client:
            await client.send_str("{no json")
            assert (await client.receive()).type is aiohttp.WSMsgType.CLOSE
        assert backend.request_violations == (
            "audio socket: could not make sense of a message: JSONDecodeError",
        )

    play(scenario, create_call(), SOCKET)


@pytest.mark.parametrize(
    ("kind", "seen"),
    [
        ("socket-closed-at-once", aiohttp.WSMsgType.CLOSE),
        ("socket-closed-mid-speech", aiohttp.WSMsgType.CLOSE),
        ("socket-frame-not-json", aiohttp.WSMsgType.TEXT),
        ("socket-never-connected", None),
    ],
)
def test_a_socket_fault_is_shown(kind: Any, seen: aiohttp.WSMsgType | None) -> None:
    """Each socket fault reaches the client, and only at the socket."""

    async def scenario(backend: MemoryBackend, acme: Acme) -> Any:
        injected = backend.inject(Fault(kind))
        await acme.create()
        assert injected.reached == 0
        async with acme.session.ws_connect(SOCKET_URL) as client:
            await client.send_bytes(bytes(48_000))
            try:
                message = await asyncio.wait_for(client.receive(), 30)
            except asyncio.TimeoutError:
                message = None
        assert injected.reached == 1
        return message.type if message else None

    assert play(scenario, create_call(), SOCKET) == seen
