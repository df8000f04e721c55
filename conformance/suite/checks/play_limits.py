"""PLAY, continued: before the avatar is there, by whom, how much at once, and from where."""

from __future__ import annotations

import weakref
from dataclasses import replace

from livekit import rtc

from conformance.plugin.manifest import Manifest
from conformance.results.outcomes import NotApplicable, ProviderRaised
from conformance.stage.faults import Fault
from conformance.suite.registry import check
from conformance.suite.scene.bounds import bound_hint
from conformance.suite.scene.expect import expect, seconds
from conformance.suite.scene.scene import AGENT, Scene
from conformance.suite.scene.speech import Speech, frame_of, samples

from .play import FRAME_TOLERANCE, ONCE_HINT, POSITION_HINT

LONG = 600.0
LONG_FRAME = 1.0
STARTED_TOLERANCE = 0.1


@check("PLAY-04")
async def interrupted_before_join(scene: Scene) -> None:
    """Interrupted before the avatar has joined or connected, the segment still finishes."""
    await scene.start_session()
    avatar = await scene.create()
    avatar.backend.behaviour = replace(avatar.backend.behaviour, join_after=8.0)
    if scene.manifest.transport == "websocket":
        avatar.backend.inject(Fault("socket-never-connected"))
    try:
        await scene.start(avatar, ready=False)
    except ProviderRaised:
        raise NotApplicable("start() does not return before the avatar is connected") from None
    speech = scene.say(2.0)
    await scene.clock.sleep(1.0)
    scene.interrupt(speech)
    await scene.spoken(speech)
    output = scene.session.output.audio
    if output is not None:
        await scene.bounded(
            output.wait_for_playout(),
            "the interrupted segment finishes although no avatar is there",
            seconds=scene.manifest.bounds.playout,
            hint=bound_hint(scene.manifest, "playout"),
        )


def _without_rpc(manifest: Manifest) -> str | None:
    if manifest.transport == "bytestream":
        return None
    return f"playback events do not come from the room (transport {manifest.transport})"


@check("PLAY-05", exempt=_without_rpc)
async def refuses_strangers(scene: Scene) -> None:
    """A playback event from a participant other than the bound avatar is refused."""
    user = await scene.audience.join()
    await scene.start_session()
    await scene.started()
    speech = scene.say(2.0)
    await scene.clock.sleep(1.0)
    answer = "no answer"
    try:
        answer = await user.local_participant.perform_rpc(
            destination_identity=AGENT,
            method="lk.playback_finished",
            payload='{"playback_position": 0.5, "interrupted": false}',
        )
    except rtc.RpcError as error:
        answer = f"error {error.code}"
    await scene.clock.sleep(0.2)
    expect(
        not scene.ear.finished,
        "a stranger's playback_finished is refused",
        f"the segment was finished by it (the call was answered {answer!r})",
        hint="compare data.caller_identity with the avatar's identity",
    )
    await scene.spoken(speech)


@check("PLAY-06")
async def empty_flush(scene: Scene) -> None:
    """A flush with no audio hangs nothing."""
    await scene.start_session()
    await scene.started()
    output = scene.session.output.audio
    assert output is not None
    output.flush()
    await scene.bounded(output.wait_for_playout(), "a flush without audio finishes", seconds=5.0)
    await scene.spoken(scene.say(0.6))
    expect(
        len(scene.ear.finished) == 1,
        "the segment after the empty flush finishes once, and the flush alone not at all",
        f"{len(scene.ear.finished)} playback_finished",
        hint=ONCE_HINT if len(scene.ear.finished) > 1 else "",
    )


@check("PLAY-07")
async def back_to_back(scene: Scene) -> None:
    """Segments pushed back to back finish in order, each at its own length."""
    await scene.start_session()
    avatar = await scene.started()
    output = scene.session.output.audio
    assert output is not None
    lengths = (0.7, 1.2, 0.4)
    for length in lengths:
        await scene.push(scene.speech(length))
        output.flush()
    await scene.bounded(
        output.wait_for_playout(),
        "all segments finish",
        seconds=scene.manifest.bounds.playout,
        hint=bound_hint(scene.manifest, "playout"),
    )
    await scene.clock.sleep(1.0)
    positions = [event.position for event in scene.ear.finished]
    expect(
        len(positions) == len(lengths)
        and all(
            abs(position - length) <= FRAME_TOLERANCE
            for position, length in zip(positions, lengths, strict=True)
        ),
        f"segments finished at {', '.join(map(seconds, lengths))}, in this order",
        ", ".join(map(seconds, positions)) or "none finished",
    )
    expect(
        len(avatar.heard) == len(lengths),
        f"the avatar is sent {len(lengths)} segments",
        f"{len(avatar.heard)}",
        hint="end the stream on flush(), and only then",
    )


@check("PLAY-08", virtual_time="a segment of 10 minutes")
async def long_segment(scene: Scene) -> None:
    """A segment of 10 minutes is played whole, in bounded memory."""
    await scene.start_session()
    # the synchronizer passes audio on when it has no text; its analysis takes a second a minute
    scene.session.output.set_transcription_enabled(False)
    avatar = await scene.started()
    output = scene.session.output.audio
    assert output is not None
    speech = scene.speech(LONG)
    count = round(LONG_FRAME * speech.sample_rate)
    alive: weakref.WeakSet[rtc.AudioFrame] = weakref.WeakSet()
    most = 0
    began = scene.clock.now()
    for index in range(round(LONG / LONG_FRAME)):
        due = began + index * LONG_FRAME
        await scene.clock.sleep(max(0.0, due - scene.clock.now()))
        frame = frame_of(samples(speech.offset + index * count, count), speech.sample_rate)
        alive.add(frame)
        await output.capture_frame(frame)
        del frame
        most = max(most, len(alive))
    output.flush()
    await scene.bounded(output.wait_for_playout(), "a segment of 10 minutes finishes", seconds=60.0)
    expect(
        most <= 10,
        "no more frames kept than are on their way",
        f"{most} frames of {seconds(LONG_FRAME)} were alive at once",
        hint="hand frames on and forget them",
    )
    position = scene.ear.finished[-1].position if scene.ear.finished else 0.0
    heard = sum(segment.duration for segment in avatar.heard)
    expect(
        abs(position - LONG) <= FRAME_TOLERANCE and abs(heard - LONG) < 1e-3,
        f"{seconds(LONG)} sent and played",
        f"{seconds(heard)} sent, finished at {seconds(position)}",
        hint=POSITION_HINT,
    )


@check("PLAY-09")
async def started_by_the_avatar(scene: Scene) -> None:
    """playback_started comes from the avatar, not from the moment the audio was pushed."""
    await scene.start_session()
    avatar = await scene.create()
    avatar.backend.behaviour = replace(avatar.backend.behaviour, play_after=0.7)
    if avatar.context.player is not None:
        raise NotApplicable("the avatar plays in the agent's own process")
    await scene.start(avatar)
    speech: Speech = scene.say(1.0)
    await scene.spoken(speech)
    began = avatar.heard[0].started_at if avatar.heard else None
    told = scene.ear.started[0] if scene.ear.started else None
    claimed = scene.manifest.capabilities.playback_started
    expect(
        began is not None and told is not None and abs(told - began) <= STARTED_TOLERANCE,
        "playback_started when the avatar starts to play"
        + (", as the manifest claims (playback_started)" if claimed else ""),
        f"{seconds(began - told)} before it does"
        if began is not None and told is not None
        else "no playback_started",
        hint="give DataStreamAudioOutput wait_playback_start=True, and let the worker send "
        "lk.playback_started",
        at=told,
    )
    if not claimed:
        scene.notes.append("unclaimed: the manifest can declare the capability playback_started")
