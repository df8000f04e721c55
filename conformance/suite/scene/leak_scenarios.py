"""Leak scenarios; the reference provider's leaks are the host's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .avatar import Avatar
from .resources import ResourceSnapshot
from .scene import Scene

GROWTH_HINT = (
    "cancel the tasks, take off the listeners and close the connections that start() made, in "
    "aclose()"
)


async def left_by(scene: Scene, cycle: Callable[[Avatar], Awaitable[None]]) -> ResourceSnapshot:
    """Leaks of an avatar that is started, goes through ``cycle`` and is closed."""
    before = ResourceSnapshot.of(scene)
    avatar = await scene.started()
    known = scene.avatars.index(avatar)
    await cycle(avatar)
    for closed in scene.avatars[known:]:
        for worker in closed.workers:
            await worker.aclose()
    await scene.clock.sleep(1.0)
    return ResourceSnapshot.of(scene).since(before)


async def left_by_a_call(scene: Scene) -> ResourceSnapshot:
    """Leaks of an avatar that speaks once and is closed."""

    async def speak_and_close(avatar: Avatar) -> None:
        await scene.spoken(scene.say(0.6))
        await scene.close(avatar)

    await scene.start_session()
    return await left_by(scene, speak_and_close)
