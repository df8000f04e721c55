"""The vendor's worker, in the room and on its way out of it."""

from __future__ import annotations

import asyncio

from conformance.loopback.room.server import LoopbackServer
from conformance.plugin.worker import Behaviour, ByteStreamWorker, WorkerSpec
from conformance.results.timeline import Timeline
from tests.loopback.in_memory_room import CREDENTIALS, mint, play


class CountingWorker(ByteStreamWorker):
    """A byte-stream worker that counts how often it has let go of what it had started."""

    endings = 0

    async def ended(self) -> None:
        self.endings += 1
        await super().ended()


async def in_room(server: LoopbackServer) -> CountingWorker:
    """A worker in the room whose vendor sends it away as soon as it sees that it has left."""
    leavers: set[asyncio.Task[None]] = set()
    spec = WorkerSpec(
        name="avatar",
        token=mint("avatar"),
        url=CREDENTIALS.url,
        server=server,
        clock=server.clock,
        timeline=Timeline(server.clock.now),
        behaviour=Behaviour(publish_video=False),
        end_session=lambda: leavers.add(asyncio.create_task(worker.leave())),
        ends_with_worker=True,
    )
    worker = CountingWorker(spec)
    worker.begin()
    await asyncio.sleep(1)
    return worker


def test_a_worker_that_is_told_to_leave_twice_at_once_leaves_once() -> None:
    """Whoever tells it second waits for the same departure."""

    async def scenario(server: LoopbackServer) -> None:
        worker = await in_room(server)
        await asyncio.gather(worker.leave(), worker.leave())
        assert worker.endings == 1
        assert not worker.in_room

    play(scenario)


def test_a_worker_that_came_back_can_leave_again() -> None:
    """Every departure is one of its own."""

    async def scenario(server: LoopbackServer) -> None:
        worker = await in_room(server)
        await worker.leave()
        await worker.come_back()
        await asyncio.sleep(1)
        await worker.leave()
        assert worker.endings == 2
        assert not worker.in_room

    play(scenario)
