"""SWAP, continued: handoffs, swaps that are followed to the end, and one that fails alongside."""

from __future__ import annotations

from contextlib import suppress

from livekit.agents import Agent

from conformance.results.outcomes import NotApplicable, ProviderRaised, Violation
from conformance.stage.faults import Fault
from conformance.suite.registry import check
from conformance.suite.scene.avatar import SETTLE, Avatar
from conformance.suite.scene.chain import describe
from conformance.suite.scene.departures import without_worker
from conformance.suite.scene.expect import audio_difference, expect
from conformance.suite.scene.scene import Scene
from conformance.suite.scene.start_attempts import NO_API
from conformance.suite.scene.swap_order import START_THEN_CLOSE

HANDING_OVER = 2.0
"""Seconds after which the next agent has taken over."""


@check("SWAP-15", variants=("idle", "mid-speech"))
async def handoff(scene: Scene, variant: str) -> None:
    """``session.update_agent()``: the avatar goes on speaking for the next agent."""
    await scene.start_session()
    avatar = await scene.started()
    tail = scene.chain().tail
    speech = scene.say(3.0 if variant == "mid-speech" else 0.5)
    if variant == "idle":
        await scene.spoken(speech)
    else:
        await scene.clock.sleep(1.0)
    scene.timeline.record("agent", "handoff")
    scene.session.update_agent(Agent(instructions="speak on"))
    await scene.spoken(speech)
    await scene.clock.sleep(HANDING_OVER)
    expect(
        scene.chain().tail is tail,
        f"after a handoff the avatar's tail is bound, {describe(tail)}",
        f"it is {describe(scene.chain().tail)}",
        hint="belong to the session, not to the agent that it began with",
    )
    await _heard_by(avatar, scene, "the next agent's speech is heard by the avatar, whole")


@check("SWAP-16", variants=("a-b", "a-b-a"))
async def followed_to_the_end(scene: Scene, variant: str) -> None:
    """A, then B, close A, speak, close B, speak: no closed avatar is bound or spoken to again."""
    await scene.start_session()
    current = await scene.started("first")
    await scene.spoken(scene.say(0.5))
    closed: list[Avatar] = []
    for label in ("second", "third")[: variant.count("-")]:
        former, current = current, await scene.exchange(current, START_THEN_CLOSE, label=label)
        closed.append(former)
        await scene.ready(current)
        await _heard_by(current, scene, f"after the swap the {label} avatar hears the speech")
    await scene.close(current)
    await scene.clock.sleep(SETTLE)
    tail = scene.chain().tail
    again = [avatar.label for avatar in closed if avatar.tail is not None and avatar.tail is tail]
    expect(
        not again,
        "after the last avatar is closed no tail of one that was closed before is bound again",
        f"the tail is the one of the {'/'.join(again)} avatar, which was closed",
        hint="put a tail back only where it still plays, and never another avatar's",
    )
    heard = [len(avatar.pcm) for avatar in (*closed, current)]
    await scene.spoken(scene.say(1.0))
    await scene.clock.sleep(SETTLE)
    late = [a.label for a, n in zip((*closed, current), heard, strict=True) if len(a.pcm) > n]
    expect(
        not late,
        "no avatar that was closed hears anything of the next speech",
        f"heard by the {' and the '.join(late)} avatar",
        hint="unbind in aclose(), before the avatar leaves",
    )


@check("SWAP-17", variants=("401", "503"), exempt=without_worker)
async def failed_twin(scene: Scene, variant: str) -> None:
    """A refused start of a second avatar of the same identity leaves the first one as it is."""
    await scene.start_session()
    first = await scene.started("first", identity="shared")
    await scene.spoken(scene.say(0.5))
    second = await scene.create("second", identity="shared")
    if second.provider.vendor_backend(second.context) is None:
        raise NotApplicable(NO_API)
    injected = second.backend.inject(Fault("status", status=int(variant)))
    with suppress(ProviderRaised, Violation):  # whether it raises is judged by FAULT-01
        await scene.start(second, ready=False)
    await scene.abandon(second)
    if not injected.reached:
        raise NotApplicable("start() makes no call to the vendor's API")
    injected.withdraw()
    await scene.clock.sleep(SETTLE)
    present = scene.participants()
    here = [identity for identity in first.identities if identity in present]
    expect(
        len(here) == len(first.identities),
        "after a second avatar of the same identity was refused, the first one is in the room",
        f"in the room: {', '.join(present) or 'nobody'}",
        hint="remove in aclose() the participant that this instance brought in, and no other",
    )
    await _heard_by(first, scene, "after a second avatar was refused, the first one is heard")


async def _heard_by(avatar: Avatar, scene: Scene, what: str) -> None:
    known = len(avatar.pcm)
    began = scene.clock.now()
    speech = scene.say(1.0)
    await scene.spoken(speech)
    await scene.clock.sleep(SETTLE)
    heard = avatar.pcm[known:]
    expect(
        heard == speech.pcm,
        what,
        f"it heard {audio_difference(speech.pcm, heard, speech.sample_rate)}",
        at=began,
    )
