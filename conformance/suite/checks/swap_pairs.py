"""SWAP, continued: swaps of one provider for another, in a row, by RPC, and ones that fail."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from conformance.endpoint import AvatarSwitcher, SwapError, SwapRequest
from conformance.plugin.provider import Provider
from conformance.results.outcomes import ProviderRaised
from conformance.suite.registry import check
from conformance.suite.scene.audio_evidence import audio_evidence, tail_hint
from conformance.suite.scene.avatar import SETTLE, Avatar
from conformance.suite.scene.chain import describe
from conformance.suite.scene.expect import audio_difference, expect, seconds
from conformance.suite.scene.fake_tail import FakeTail
from conformance.suite.scene.leak_scenarios import GROWTH_HINT, left_by
from conformance.suite.scene.resources import ResourceSnapshot
from conformance.suite.scene.scene import AGENT, Scene
from conformance.suite.scene.swap_order import BOTH_ORDERS, CLOSE_THEN_START, START_THEN_CLOSE
from conformance.suite.scene.swapped_speech import SwappedSpeech

from .swap import finished, hears

SWAPS_IN_A_ROW = 20
PAIR_SPEECH = 3.0
"""Seconds of a speech in the middle of which two avatars are exchanged: longer than any start."""

LENGTH_TOLERANCE = 0.03
"""Seconds by which resampling may change the length of a stretch of audio."""


@check("SWAP-04", variants=BOTH_ORDERS, exchange=True)
async def during_an_interruption(scene: Scene, order: str) -> None:
    """Swapped while an interruption is in flight, every segment finishes once."""
    await scene.start_session()
    old = await scene.create("old")
    old.backend.behaviour = replace(old.backend.behaviour, clear="late", clear_delay=0.5)
    await scene.start(old)
    speech = scene.say(3.0)
    await scene.clock.sleep(1.0)
    old.backend.behaviour = replace(old.backend.behaviour, clear="finish")
    scene.interrupt(speech)
    await scene.clock.sleep(0.1)
    new = await scene.exchange(old, order)
    await scene.spoken(speech)
    await scene.ready(new)
    await scene.clock.sleep(3.0)
    finished(scene, 1)
    after = scene.say(1.0)
    await scene.spoken(after)
    finished(scene, 2)
    hears(new, after, "the new avatar hears the speech after the interruption, whole", scene=scene)


@check("SWAP-08", variants=BOTH_ORDERS, exchange=True)
async def same_identity(scene: Scene, order: str) -> None:
    """Two instances of one identity: closing the old does not remove the new one's participant."""
    await scene.start_session()
    old = await scene.started("old", identity="shared")
    await scene.spoken(scene.say(0.5))
    new = await scene.exchange(old, order, ready=True, identity="shared")
    await scene.clock.sleep(SETTLE)  # a server removes somebody after it has answered
    present = scene.participants()
    removals = scene.stage.server.removals().count("shared")
    expect(
        present.count("shared") == (1 if new.workers else 0),
        "one participant 'shared' in the room at the end, the new avatar's",
        f"in the room are {', '.join(sorted(present)) or 'nobody'}; the removal of 'shared' was "
        f"asked for {removals} time(s)",
        hint="remove from the room only the participant whose sid you saw join" if removals else "",
    )
    speech = scene.say(1.0)
    await scene.spoken(speech)
    hears(new, speech, "the new avatar hears the speech after the swap, whole", scene=scene)


@check("SWAP-09", for_peers=True, exchange=True)
async def ordered_pair(scene: Scene, variant: str) -> None:
    """Swapped for an avatar of another provider and back, idle and mid-segment, in both orders.

    The way back is the other provider's pair: between the checks of both, each of the two pairs is
    swapped idle and mid-segment, by close-then-start and by start-then-close.
    """
    other = scene.peers[variant.removeprefix("to-")]
    await scene.start_session()
    first = await scene.started("first")
    spoken = scene.say(0.6)
    await scene.spoken(spoken)
    hears(first, spoken, f"{first.provider.name} hears the speech before the swap", scene=scene)
    second = await scene.exchange(first, CLOSE_THEN_START, label="second", provider=other)
    await scene.ready(second)
    idle = scene.say(0.6, listener=other)
    await scene.spoken(idle)
    hears(second, idle, f"{other.name} hears the speech after an idle swap, whole", scene=scene)
    third = await scene.exchange(second, START_THEN_CLOSE, label="third")
    await scene.ready(third)
    fourth = await _swapped_busy(scene, third, START_THEN_CLOSE, "fourth", other)
    await scene.ready(fourth)
    await _swapped_busy(scene, fourth, CLOSE_THEN_START, "fifth", scene.provider)
    finished(scene, 4)


async def _swapped_busy(
    scene: Scene, old: Avatar, order: str, label: str, provider: Provider
) -> Avatar:
    """Swap ``old`` for an avatar of ``provider`` mid-segment; together they must hear all of it.

    All but what is spoken while there is no avatar and, in real time, the seam.
    """
    speech = scene.say(PAIR_SPEECH, paced=True, listener=old.provider)
    before = len(old.pcm)
    await scene.clock.sleep(0.41)
    swap, new = await SwappedSpeech.across(
        scene, old, order, speech, label=label, provider=provider
    )
    await scene.spoken(speech)
    await scene.clock.sleep(1.0)
    names = f"{old.provider.name} and {provider.name}"
    # to the sample where they take the same format; by its length where the host, which looks at
    # the format when a segment begins, leaves it to the new one to convert
    if provider.manifest.sample_rate in (None, speech.sample_rate):
        parts = old.pcm[before:], new.pcm
        expect(
            swap.heard_once(*parts) and all(parts),
            swap.expectation,
            f"{names} heard "
            f"{audio_difference(speech.pcm, b''.join(parts), speech.sample_rate)}; "
            f"{audio_evidence(scene, speech, old, new)}",
            hint=tail_hint(new),
        )
        return new
    lengths = old.seconds_after(before), new.seconds_after(0)
    missing = speech.seconds - sum(lengths)
    expect(
        -LENGTH_TOLERANCE <= missing <= LENGTH_TOLERANCE + swap.gap and all(lengths),
        f"old and new avatar together hear {seconds(speech.seconds)}, or up to {seconds(swap.gap)} "
        "less",
        f"{names} heard {seconds(lengths[0])} and {seconds(lengths[1])}; "
        f"{audio_evidence(scene, speech, old, new)}",
        hint=tail_hint(new),
    )
    return new


async def left_by_many_swaps(scene: Scene) -> ResourceSnapshot:
    """What is left behind by 20 swaps in a row."""

    async def swap_often(current: Avatar) -> None:
        for number in range(SWAPS_IN_A_ROW):
            order = CLOSE_THEN_START if number % 2 else START_THEN_CLOSE
            current = await scene.exchange(current, order, label=f"avatar-{number}")
            await scene.spoken(scene.say(0.1))
            await scene.ready(current)
        await scene.close(current)

    await scene.start_session()
    return await left_by(scene, swap_often)


@check("SWAP-10", scenario=left_by_many_swaps, control=left_by_many_swaps, exchange=True)
def many_swaps(left: ResourceSnapshot, *, allowed: ResourceSnapshot) -> None:
    """20 swaps in a row leave no more behind than the host's own parts do."""
    extra = left.beyond(allowed)
    expect(
        not extra,
        f"{SWAPS_IN_A_ROW} swaps leave no more than the host's own growth",
        "; ".join(extra),
        hint=GROWTH_HINT,
    )


@check("SWAP-12", variants=BOTH_ORDERS, exchange=True)
async def replacement_fails(scene: Scene, order: str) -> None:
    """The replacement fails to start: the chain is intact and the next speech completes."""
    await scene.start_session()
    old = await scene.started("old")
    first = scene.say(0.6)
    await scene.spoken(first)
    before = scene.chain()
    new = await scene.create("new")
    scene.break_start(new)
    raised = False
    try:
        await scene.exchanging.replace(old, new, order, ready=False)
    except ProviderRaised:
        raised = True
    await scene.abandon(new)
    expect(
        raised,
        "start() of the replacement raises when its vendor refuses",
        f"it returned; the tail is {describe(scene.chain().tail)}",
        hint="let the vendor's error through",
    )
    after = scene.chain()
    expect(
        after.wrappers == before.wrappers,
        "the wrappers are still there",
        f"the chain is {after.labels()}",
    )
    second = scene.say(0.6)
    await scene.spoken(second)
    if order == START_THEN_CLOSE:
        heard = old.pcm[len(first.pcm) :]
        expect(
            heard == second.pcm,
            "the old avatar, still open, goes on speaking",
            f"it heard {audio_difference(second.pcm, heard, second.sample_rate)}; "
            f"{audio_evidence(scene, second, old)}",
            hint=""
            if after.tail is before.tail
            else "bind after the vendor's API has accepted, or put the old tail back on failure",
        )


@check("SWAP-13", exchange=True)
async def back_to_no_avatar(scene: Scene) -> None:
    """Back to no avatar: unbound, speech completes; rebound elsewhere, it is heard there."""
    await scene.start_session()
    avatar = await scene.started()
    first = scene.say(0.6)
    await scene.spoken(first)
    await scene.close(avatar)
    scene.bind(None)
    await scene.spoken(scene.say(0.6))
    room_output = FakeTail(scene.clock, label="room")
    scene.bind(room_output)
    third = scene.say(0.6)
    await scene.spoken(third)
    finished(scene, 3)
    expect(
        room_output.pcm == third.pcm,
        "the speech after rebinding is heard at the room's output, whole",
        audio_difference(third.pcm, room_output.pcm, third.sample_rate),
    )
    only = "the avatar hears the speech before it was closed, and nothing after it"
    hears(avatar, first, only, scene=scene)


@check("SWAP-14")
async def asked_by_rpc(scene: Scene) -> None:
    """Asked for by RPC while speaking, twice at once: one swap at a time, each caller answered."""
    user = await scene.audience.join()
    await scene.start_session()
    switcher = AvatarSwitcher(scene.session, scene.room)
    try:
        await switcher.swap(_Driven(scene, await scene.create("old")))
    except SwapError as error:
        raise error.__cause__ or error from None
    await scene.clock.sleep(SETTLE)
    swapped_in: list[_Driven] = []

    async def make(request: SwapRequest) -> _Driven:
        swapped_in.append(_Driven(scene, await scene.create(request.avatar)))
        return swapped_in[-1]

    stop = switcher.register_rpc(scene.room, make)
    speech = scene.say(3.0, paced=True)
    await scene.clock.sleep(1.0)
    ask = user.local_participant.perform_rpc
    answers = await scene.bounded(
        asyncio.gather(
            *(
                ask(
                    destination_identity=AGENT,
                    method="swap_avatar",
                    payload=name,
                    response_timeout=60.0,
                )
                for name in ("left", "right")
            ),
            return_exceptions=True,
        ),
        "both callers of swap_avatar get an answer",
        seconds=60.0,
    )
    stop()
    failed = [str(answer) for answer in answers if isinstance(answer, BaseException)]
    expect(not failed, "both swaps succeed", "; ".join(failed))
    spans = [driven.span for driven in swapped_in]
    expect(
        len(spans) == 2 and spans[0][1] <= spans[1][0],
        "one swap at a time: the second start() begins when the first has returned",
        f"they ran from {spans}",
    )
    await scene.spoken(speech)
    finished(scene, 1)
    newest = swapped_in[-1].avatar
    heard = len(newest.pcm)
    last = scene.say(1.0)
    await scene.spoken(last)
    expect(
        newest.pcm[heard:] == last.pcm,
        "the avatar that was swapped in last hears the next speech, whole",
        f"it heard {audio_difference(last.pcm, newest.pcm[heard:], last.sample_rate)}; "
        f"{audio_evidence(scene, last, newest)}",
        hint=tail_hint(newest),
    )
    await switcher.release()


class _Driven:
    """An avatar of the scene, as the switcher drives it; ``span`` is when its start ran."""

    def __init__(self, scene: Scene, avatar: Avatar) -> None:
        self.scene = scene
        self.avatar = avatar
        self.avatar_identity = avatar.identity
        self.span = (0.0, 0.0)

    async def start(self, agent_session: object, room: object) -> None:
        began = self.scene.clock.now()
        await self.scene.start(self.avatar)
        self.span = (began, self.scene.clock.now())

    async def aclose(self) -> None:
        await self.scene.close(self.avatar)
