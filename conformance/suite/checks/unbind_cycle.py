"""UNBIND, continued: who is left in the room, and the same instance a second time."""

from __future__ import annotations

from conformance.results.outcomes import NotApplicable, ProviderRaised
from conformance.suite.registry import check
from conformance.suite.scene.avatar import Avatar
from conformance.suite.scene.expect import expect
from conformance.suite.scene.scene import Scene

LEAVING = 5.0
"""Seconds in which a vendor or a server has taken a participant out of the room."""


@check("UNBIND-12", tries="closes")
async def avatar_leaves(scene: Scene) -> None:
    """After ``aclose()`` the avatar's participants have left the room."""
    if not scene.manifest.capabilities.joins_room:
        raise NotApplicable("the avatar has no participant of its own (capability joins_room)")
    await scene.start_session()
    avatar = await scene.started()
    await scene.spoken(scene.say(0.5))
    await scene.close(avatar)
    await scene.clock.sleep(LEAVING)
    left = sorted(avatar.identities.intersection(scene.participants()))
    expect(
        not left,
        "nobody of the avatar is in the room after aclose()",
        f"in the room: {', '.join(left)}",
        hint="end the vendor's session, or remove everybody who joined with a token of yours",
    )


@check("UNBIND-13", tries="closes")
async def second_cycle(scene: Scene) -> None:
    """Where the same instance can be started again, its second ``aclose()`` closes as the first."""
    await scene.start_session()
    avatar = await scene.started()
    first = await _closed(scene, avatar)
    try:
        await scene.start(avatar)
    except ProviderRaised:
        raise NotApplicable("the same instance cannot be started again") from None
    second = await _closed(scene, avatar)
    for what, before, now in zip(
        ("sessions of the vendor", "participants"), first, second, strict=True
    ):
        expect(
            now <= before,
            f"{before} {what} left open after the second aclose(), as after the first",
            f"{now} of the second start",
        )


async def _closed(scene: Scene, avatar: Avatar) -> tuple[int, int]:
    """Speak and close; how many vendor sessions and participants of this start stay."""
    known = [s.id for s in avatar.backend.sessions if s.ended_at is None][:-1]
    workers = [worker for worker in avatar.workers if worker.in_room]
    await scene.spoken(scene.say(0.5))
    await scene.close(avatar)
    await scene.clock.sleep(LEAVING)
    sessions = [s for s in avatar.backend.sessions if s.ended_at is None and s.id not in known]
    return len(sessions), sum(worker.in_room for worker in workers)
