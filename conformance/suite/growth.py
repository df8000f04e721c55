"""What a provider leaves behind beyond what the host's own parts leave, measured side by side."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from .avatar import Avatar
from .leftovers import Leftovers
from .reference import reference_provider
from .scene import Scene

GROWTH_HINT = (
    "cancel the tasks, take off the listeners and close the connections that start() made, in "
    "aclose()"
)


async def beyond_reference(scene: Scene, cycle: Callable[[Avatar], Awaitable[None]]) -> list[str]:
    """Run ``cycle`` on a started avatar of the reference provider, then on one of the provider.

    ``cycle`` ends with its avatar closed. Returns what the provider left that the reference
    provider, made of nothing but the host's own parts, did not.
    """
    allowed = await _left_by(scene, cycle, reference=True)
    left = await _left_by(scene, cycle, reference=False)
    return left.beyond(allowed)


async def left_by_reference(scene: Scene) -> Leftovers:
    """What the host's own parts leave behind after a start, a speech and a close."""

    async def cycle(avatar: Avatar) -> None:
        await scene.spoken(scene.say(0.2))
        await scene.close(avatar)

    return await _left_by(scene, cycle, reference=True)


async def _left_by(
    scene: Scene, cycle: Callable[[Avatar], Awaitable[None]], *, reference: bool
) -> Leftovers:
    before = Leftovers.of(scene)
    if reference:
        avatar = await scene.started("reference", provider=reference_provider())
    else:
        avatar = await scene.started("avatar")
    known = scene.avatars.index(avatar)
    await cycle(avatar)
    for closed in scene.avatars[known:]:
        for worker in closed.workers:
            await worker.aclose()
    await scene.clock.sleep(1.0)
    return Leftovers.of(scene).since(before)
