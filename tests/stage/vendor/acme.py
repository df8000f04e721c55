"""Acme, a vendor, and a client of its API: what the tests of the backend share."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import aiohttp

from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual
from conformance.plugin.context import AdapterContext
from conformance.plugin.manifest import Manifest
from conformance.plugin.vendor_api import STRING, Call, RoomAccess, Socket, VendorAPI, fields
from conformance.plugin.worker import Worker
from conformance.results.timeline import Timeline
from conformance.stage.network.network import Network
from conformance.stage.vendor.backend import MemoryBackend

HOST = "api.acme.test"
SECRET = "canary-4711"


class StillWorker(Worker):
    """A worker that never joins a room, and hears what comes by the vendor's own socket."""

    left = False

    def begin(self) -> None:
        """Stay outside."""
        self.player.deaf = False

    async def leave(self) -> None:
        self.left = True


def token(identity: str) -> str:
    """A thing that looks like a room token."""
    claims = base64.urlsafe_b64encode(json.dumps({"sub": identity}).encode()).decode()
    return f"e30.{claims.rstrip('=')}.c2ln"


def create_call(**options: Any) -> Call:
    """A vendor's usual call."""
    return Call(
        "create session",
        "POST",
        "/v1/sessions",
        headers={"x-api-key": "{api_key}"},
        body=fields({"url": STRING, "room": fields({"token": STRING})}),
        room=RoomAccess("/url", "/room/token"),
        opens_session=True,
        **{"answer": {"id": "{session}", "url": "wss://x"}, "needed_fields": ("id",), **options},
    )


END = Call("end session", "DELETE", "/v1/sessions/{session}", ends_session=True, when="later")


class Acme:
    """A client of the vendor's API, as a plugin has one."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.session = session

    async def create(self, identity: str = "avatar", key: str = SECRET, **more: Any) -> Any:
        """Open a session; returns what the vendor answers."""
        body = {"url": "wss://room", "room": {"token": token(identity)}, **more}
        url = f"https://{HOST}/v1/sessions"
        async with self.session.post(url, json=body, headers={"x-api-key": key}) as response:
            return response.status, await response.json()

    async def end(self, session: str) -> int:
        """End a session."""
        async with self.session.delete(f"https://{HOST}/v1/sessions/{session}") as response:
            return response.status


Scenario = Callable[[MemoryBackend, Acme], Awaitable[Any]]


@asynccontextmanager
async def backend_on(
    network: Network, clock: VirtualClock, api: VendorAPI, identity: str = "avatar"
) -> AsyncIterator[MemoryBackend]:
    """The vendor's side of one avatar, which has ``api`` and knows ``identity``."""
    manifest = Manifest("acme", "acme", "acme:A", "acme:E", "bytestream", (HOST,))
    secrets = {"api_key": SECRET}
    context = AdapterContext("acme", identity, "agent", "room", "wss://room", "k", "s", secrets)
    provider: Any = SimpleNamespace(
        name="acme",
        manifest=manifest,
        vendor_backend=lambda context: api,
        avatar_worker=lambda context: StillWorker,
    )
    stage: Any = SimpleNamespace(
        network=network, server=None, clock=clock, timeline=Timeline(clock.now)
    )
    backend = MemoryBackend(provider, context, stage)
    await backend.start()
    try:
        yield backend
    finally:
        await backend.aclose()


def play(scenario: Scenario, *endpoints: Call | Socket) -> Any:
    """Run a scenario against a vendor with these endpoints; nothing may be left behind."""

    async def main(clock: VirtualClock) -> Any:
        before = asyncio.all_tasks()
        with Network(clock) as network:
            async with (
                backend_on(network, clock, VendorAPI(*(endpoints or (create_call(), END)))) as b,
                aiohttp.ClientSession() as session,
            ):
                result = await scenario(b, Acme(session))
        await asyncio.sleep(1)
        assert asyncio.all_tasks() == before
        return result

    return run_virtual(main)
