"""UNBIND: closing a provider."""

from __future__ import annotations

from conformance.suite.registry import check
from conformance.suite.scene.chain import describe
from conformance.suite.scene.expect import expect
from conformance.suite.scene.fake_tail import FakeTail
from conformance.suite.scene.scene import AGENT, Scene


@check("UNBIND-01", variants=("twice", "before-start"), tries="closes")
async def close_is_idempotent(scene: Scene, variant: str) -> None:
    """``aclose()`` twice, or before ``start()``, does nothing the second time."""
    await scene.start_session()
    avatar = await scene.create()
    if variant == "twice":
        await scene.start(avatar)
        await scene.close(avatar)
    calls = len(avatar.backend.requests)
    removed = len(scene.stage.server.removals())
    await scene.close(avatar)
    expect(
        len(avatar.backend.requests) == calls,
        "no further request to the vendor",
        f"{len(avatar.backend.requests) - calls} more",
        hint="remember that it is closed",
    )
    expect(
        len(scene.stage.server.removals()) == removed,
        "no further removal from the room",
        f"{len(scene.stage.server.removals()) - removed} more",
        hint="let go of the room in aclose()",
    )


@check("UNBIND-03", tries="closes", exchange=True)
async def foreign_endpoint(scene: Scene) -> None:
    """``aclose()`` leaves alone an endpoint that someone else has bound since."""
    await scene.start_session()
    avatar = await scene.started()
    other = FakeTail(scene.clock, label="other")
    scene.bind(other)
    await scene.close(avatar)
    tail = scene.chain().tail
    expect(
        tail is other,
        "the endpoint that the application bound since",
        describe(tail) if tail is not None else "nothing is bound",
        hint="unbind in aclose() only while your own sink is the tail",
    )
    speech = scene.say(1.0)
    await scene.spoken(speech)
    expect(
        other.pcm == speech.pcm,
        "the next speech is heard at that endpoint",
        f"{len(other.pcm) // 2} of {len(speech.pcm) // 2} samples",
    )


@check("UNBIND-09", tries="closes", exchange=True)
async def agent_stays(scene: Scene) -> None:
    """``aclose()`` never removes the agent itself from the room."""
    await scene.start_session()
    avatar = await scene.started()
    await scene.close(avatar)
    await scene.clock.sleep(0.5)
    removals = list(scene.stage.server.removals())
    expect(
        AGENT not in removals and scene.room.isconnected(),
        "the agent is still in the room",
        f"aclose() asked for the removal of {', '.join(map(repr, removals))}",
        hint="where the agent itself publishes the avatar, override aclose(): the base class "
        "removes the participant avatar_identity",
    )
