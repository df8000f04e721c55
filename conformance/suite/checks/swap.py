"""SWAP: one avatar replaced by another, in both orders."""

from __future__ import annotations

from conformance.errors import KitError
from conformance.plugin.worker import Worker
from conformance.results.outcomes import NotApplicable
from conformance.suite.registry import check
from conformance.suite.scene.audio_evidence import audio_evidence, tail_hint
from conformance.suite.scene.avatar import Avatar
from conformance.suite.scene.expect import audio_difference, expect, fail, seconds
from conformance.suite.scene.recording import agent_channel_seconds
from conformance.suite.scene.scene import Scene
from conformance.suite.scene.speech import FRAME_SECONDS, Speech
from conformance.suite.scene.swap_order import BOTH_ORDERS, CLOSE_THEN_START
from conformance.suite.scene.swapped_speech import SwappedSpeech

from .bind import kept

POSITION_TOLERANCE = 0.1
"""One frame as the host's receiver hands them to an avatar, in seconds."""

LATE = 0.25
"""The position, in seconds, that an old avatar reports late."""


@check("SWAP-01", variants=BOTH_ORDERS, exchange=True)
async def idle(scene: Scene, order: str) -> None:
    """Swapped while idle, the next segment plays on the new avatar and the old hears nothing."""
    await scene.start_session()
    old = await scene.started("old")
    first = scene.say(1.0)
    await scene.spoken(first)
    before = scene.chain()
    new = await scene.exchange(old, order)
    await scene.ready(new)
    kept(before, scene.chain())
    second = scene.say(1.0)
    await scene.spoken(second)
    only = "the old avatar hears the speech before the swap, and nothing after it"
    hears(old, first, only, scene=scene)
    hears(new, second, "the new avatar hears the speech after the swap, whole", scene=scene)
    finished(scene, 2)


@check("SWAP-02", variants=BOTH_ORDERS, exchange=True)
async def mid_segment(scene: Scene, order: str) -> None:
    """Swapped while frames are coming: each is heard once, by the old avatar or by the new."""
    await scene.start_session()
    old = await scene.started("old")
    speech = scene.say(3.0, paced=True)
    await scene.clock.sleep(1.01)
    before = scene.chain()
    swap, new = await SwappedSpeech.across(scene, old, order, speech)
    kept(before, scene.chain())
    await scene.spoken(speech)
    await scene.clock.sleep(1.0)
    whole = speech.pcm
    both = old.pcm + new.pcm
    expect(
        swap.heard_once(old.pcm, new.pcm),
        swap.expectation,
        f"together they heard {audio_difference(whole, both, speech.sample_rate)}; "
        + audio_evidence(scene, speech, old, new),
        hint=tail_hint(new),
        at=swap.ended,
    )
    # where in start() and aclose() the tail changes is the provider's own affair
    earliest, latest = swap.span
    heard = len(old.pcm) / 2 / speech.sample_rate
    expect(
        earliest - swap.seam - FRAME_SECONDS - 1e-6 <= heard <= latest + FRAME_SECONDS + 1e-6,
        f"the old avatar hears the {seconds(latest)} before the swap",
        f"it heard {seconds(heard)}; {audio_evidence(scene, speech, old, new)}",
        hint=tail_hint(new),
        at=swap.ended,
    )
    finished(scene, 1)


@check("SWAP-03", variants=BOTH_ORDERS, exchange=True)
async def still_playing(scene: Scene, order: str) -> None:
    """Swapped when all is pushed but still playing: finished once, interrupted, where it was."""
    await scene.audience.join()
    await scene.start_session()
    old = await scene.started("old")
    text = "one two three four five six seven eight nine ten"
    speech = scene.say(4.0, text=text)
    await scene.clock.sleep(2.0)
    playing = old.heard[0] if old.heard else None
    if playing is None or playing.started_at is None:
        fail("the old avatar plays the speech", "it was sent no audio")
    began = scene.clock.now() - playing.started_at
    await scene.exchange(old, order)
    swapped = scene.clock.now()
    # it is told to stop at some moment of the exchange; where it is not told it plays on
    earliest, latest = began, swapped - playing.started_at
    if playing.interrupted:
        earliest = latest = playing.played
    await scene.spoken(speech)
    await scene.clock.sleep(1.0)
    finished(scene, 1)
    event = scene.ear.finished[0]
    expect(
        event.interrupted,
        "the segment finishes as interrupted: nobody heard its end",
        "it finished as played to the end",
        at=event.at,
    )
    expect(
        earliest - POSITION_TOLERANCE <= event.position <= latest + POSITION_TOLERANCE,
        "the position that the old avatar had played, "
        f"{seconds(earliest)} to {seconds(latest)} "
        "(one frame over at most)",
        seconds(event.position),
        at=swapped,
        hint=position_hint(event.position, speech.seconds),
    )
    spoken = event.transcript
    expect(
        spoken is not None and text.startswith(spoken.strip()) and spoken.strip() != text,
        "the transcript up to where the old avatar was",
        repr(spoken),
        at=event.at,
    )


@check("SWAP-05", variants=BOTH_ORDERS, exchange=True)
async def transcript(scene: Scene, order: str) -> None:
    """Text goes on reaching the room in step with the audio, and is whole after the swap."""
    await scene.audience.join()
    await scene.start_session()
    old = await scene.started("old")
    first = scene.say(3.0, text="alpha beta gamma delta epsilon zeta", paced=True)
    await scene.clock.sleep(1.01)
    early = "".join(scene.audience.transcript)
    before = scene.chain()
    new = await scene.exchange(old, order)
    kept(before, scene.chain())
    await scene.spoken(first)
    await scene.ready(new)
    second = scene.say(2.0, text="one two three four five six")
    await scene.clock.sleep(1.0)
    heard_so_far = scene.audience.transcript[-1] if len(scene.audience.transcript) > 1 else ""
    await scene.spoken(second)
    await scene.clock.sleep(1.0)
    expect(
        0 < len(early) < len(first.text),
        "a part of the text before the swap, in step with the audio",
        f"{early!r}; {_events(scene)}",
    )
    expect(
        0 < len(heard_so_far) < len(second.text),
        "text after the swap in step with the audio: a part of it half-way",
        f"{heard_so_far!r}; {_events(scene)}",
    )
    expect(
        bool(scene.audience.transcript) and scene.audience.transcript[-1].strip() == second.text,
        f"the whole text of the segment after the swap, {second.text!r}",
        f"{scene.audience.transcript[-1] if scene.audience.transcript else ''!r}; {_events(scene)}",
    )


@check("SWAP-06", variants=BOTH_ORDERS, exchange=True)
async def recording(scene: Scene, order: str) -> None:
    """The recorder stays in the chain, and the recording has the speech on both sides."""
    await scene.start_session(record=True)
    old = await scene.started("old")
    first = scene.say(2.0)
    await scene.spoken(first)
    before = scene.chain()
    new = await scene.exchange(old, order)
    kept(before, scene.chain())
    await scene.ready(new)
    began = scene.clock.now()
    second = scene.say(2.0)
    await scene.spoken(second)
    recorded = await agent_channel_seconds(scene)
    expect(
        recorded >= 2 * 2.0 - 0.3,
        "4.0 s of speech on the recording's agent channel, 2.0 s on each side of the swap",
        f"{seconds(recorded)} of it; {_events(scene)}",
        at=began,
    )


@check("SWAP-07", variants=BOTH_ORDERS, exchange=True)
async def late_event(scene: Scene, order: str) -> None:
    """A late playback event of the old avatar does not touch the new one's segment."""
    await scene.start_session()
    old = await scene.started("old")
    await scene.spoken(scene.say(1.0))
    late = _worker_of(old)
    if order == CLOSE_THEN_START:
        late.notify_finished(LATE, interrupted=False)
        new = await scene.exchange(old, order)
    else:
        new = await scene.create("new")
        await scene.start(new)
    await scene.ready(new)
    begun, done = len(scene.ear.started), len(scene.ear.finished)
    speech = scene.say(2.0)
    await scene.clock.sleep(1.0)
    if late.in_room:
        late.notify_started()
        late.notify_finished(LATE, interrupted=False)
    await scene.clock.sleep(0.25)
    expect(
        len(scene.ear.finished) == done,
        "the new avatar's segment goes on when the old one reports late",
        "; ".join(
            f"it was finished by the old avatar's report, at {seconds(event.position)}"
            if abs(event.position - LATE) < FRAME_SECONDS
            else f"it finished at {seconds(event.position)}"
            for event in scene.ear.finished[done:]
        ),
        hint="the old avatar's report came through: take the old tail's listeners off at the swap"
        if any(abs(event.position - LATE) < FRAME_SECONDS for event in scene.ear.finished[done:])
        else "",
    )
    await scene.spoken(speech)
    finished(scene, done + 1)
    expect(
        len(scene.ear.started) - begun <= 1,
        "playback_started once at most for the new avatar's segment",
        f"{len(scene.ear.started) - begun} times",
    )
    position = scene.ear.finished[-1].position
    expect(
        abs(position - 2.0) <= POSITION_TOLERANCE,
        f"the new avatar's own position, {seconds(2.0)}",
        seconds(position),
    )
    if order != CLOSE_THEN_START:
        await scene.close(old)


@check("SWAP-11", variants=BOTH_ORDERS, exchange=True)
async def listeners(scene: Scene, order: str) -> None:
    """Listeners that a user put on ``session.output.audio`` hear every segment."""
    await scene.start_session()
    old = await scene.started("old")
    for _ in range(2):
        await scene.spoken(scene.say(0.6))
    new = await scene.exchange(old, order)
    await scene.ready(new)
    for _ in range(2):
        await scene.spoken(scene.say(0.6))
    finished(scene, 4)


def hears(avatar: Avatar, speech: Speech, what: str, *, scene: Scene | None = None) -> None:
    """Fail unless ``avatar`` heard ``speech`` to the sample, and nothing else.

    With the ``scene`` of a speech that is over the failure says where its audio got to.
    """
    heard = f"it heard {audio_difference(speech.pcm, avatar.pcm, speech.sample_rate)}"
    expect(
        avatar.pcm == speech.pcm,
        what,
        heard if scene is None else f"{heard}; {audio_evidence(scene, speech, avatar)}",
        hint=tail_hint(avatar),
    )


def finished(scene: Scene, times: int) -> None:
    """Fail unless the top of the chain heard ``times`` segments finish so far."""
    got = len(scene.ear.finished)
    expect(
        got == times,
        f"playback_finished {times} time(s) at the top of the chain, once for each segment",
        f"{got} time(s); {_events(scene)}",
        hint="emit playback_finished once for each segment" if got > times else "",
    )


def position_hint(position: float, pushed: float) -> str:
    """How to mend a position, where it is what was pushed; else empty."""
    as_pushed = abs(position - pushed) <= POSITION_TOLERANCE
    return "count what was played, not what was pushed" if as_pushed else ""


def _events(scene: Scene) -> str:
    """The playback events that the top of the chain has heard, in words."""
    ear = scene.ear
    ends = ", ".join(
        f"{'interrupted ' if event.interrupted else ''}at {seconds(event.position)}"
        for event in ear.finished
    )
    return (
        f"at the top of the chain {len(ear.started)} segment(s) started and "
        f"{len(ear.finished)} finished{f' ({ends})' if ends else ''}"
    )


def _worker_of(avatar: Avatar) -> Worker:
    worker = avatar.speaker
    if worker is None:
        if avatar.manifest.transport == "in-process":
            raise NotApplicable("nobody reports from outside the process (transport in-process)")
        raise KitError(f"{avatar.label} has no worker that could report late")
    return worker
