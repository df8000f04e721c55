"""PLAY: playback events."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from conformance.suite.registry import check
from conformance.suite.scene.bounds import bound_hint
from conformance.suite.scene.expect import expect, fail, seconds
from conformance.suite.scene.scene import Scene

FRAME_TOLERANCE = 0.1
"""One frame as the host's receiver hands them to an avatar, in seconds."""

ONCE_HINT = "emit playback_finished once for each segment that was flushed or cleared"
POSITION_HINT = "count what was played, not what was pushed or sent"


@check("PLAY-01")
async def started_once(scene: Scene) -> None:
    """playback_started comes once at most for a segment, before its playback_finished."""
    await scene.start_session()
    await scene.started()
    for _ in range(3):
        begun = len(scene.ear.started)
        speech = scene.say(1.0)
        await scene.spoken(speech)
        events = scene.ear.started[begun:]
        expect(
            len(events) <= 1,
            "playback_started once at most for a segment",
            f"{len(events)} times",
            hint="emit it for the first frame that plays, and not again",
        )
        await scene.clock.sleep(1.0)
        expect(
            len(scene.ear.started) - begun == len(events),
            "playback_started before playback_finished",
            "one more after it",
        )


@check("PLAY-02")
async def finished_once(scene: Scene) -> None:
    """playback_finished comes once for a segment; uninterrupted, at what was pushed."""
    await scene.start_session()
    await scene.started()
    for count, length in enumerate((0.5, 1.0, 2.5), start=1):
        speech = scene.say(length)
        await scene.spoken(speech)
        await scene.clock.sleep(1.0)
        expect(
            len(scene.ear.finished) == count,
            "playback_finished once for each segment",
            f"{len(scene.ear.finished)} times for {count} segment(s)",
            hint=ONCE_HINT if len(scene.ear.finished) > count else "",
        )
        finished = scene.ear.finished[-1]
        expect(not finished.interrupted, "not interrupted", "interrupted", at=finished.at)
        expect(
            abs(finished.position - length) <= FRAME_TOLERANCE,
            f"finished at {seconds(length)}, what was pushed",
            seconds(finished.position),
            at=finished.at,
        )


@check(
    "PLAY-03",
    variants=(
        "one-answering",
        "one-silent",
        "one-unanswered",
        "several-answering",
        "several-silent",
    ),
)
async def interrupted(scene: Scene, variant: str) -> None:
    """Interrupted, every pending segment finishes in bounded time at what had been played."""
    pending, _, avatar_is = variant.partition("-")
    await scene.start_session()
    avatar = await scene.create()
    if avatar_is != "answering":
        clear: Literal["silent", "unanswered"] = "silent" if avatar_is == "silent" else "unanswered"
        avatar.backend.behaviour = replace(avatar.backend.behaviour, clear=clear)
    await scene.start(avatar)
    output = scene.session.output.audio
    if output is None:
        fail("a chain to speak through", "session.output.audio is None")
    lengths = (3.0,) if pending == "one" else (3.0, 2.0, 1.0)
    for length in lengths:
        await scene.push(scene.speech(length))
        output.flush()
    await scene.clock.sleep(1.0)
    began = scene.clock.now()
    playing = avatar.heard[0].started_at if avatar.heard else None
    scene.timeline.record("agent", "interrupt")
    output.clear_buffer()
    await scene.bounded(
        output.wait_for_playout(),
        f"{len(lengths)} interrupted segment(s) finish",
        seconds=scene.manifest.bounds.playout,
        hint=bound_hint(scene.manifest, "playout"),
    )
    await scene.clock.sleep(3.0)
    events = scene.ear.finished
    expect(
        len(events) == len(lengths),
        f"playback_finished once for each of {len(lengths)} segment(s)",
        f"{len(events)} times",
        hint=ONCE_HINT if len(events) > len(lengths) else "",
        at=began,
    )
    expect(
        all(event.interrupted for event in events),
        "every one interrupted",
        f"{sum(not event.interrupted for event in events)} reported as played to the end",
        at=began,
    )
    played = max(0.0, began - playing) if playing is not None else 0.0
    for index, (event, length) in enumerate(zip(events, lengths, strict=True)):
        limit = played if index == 0 else 0.0
        expect(
            event.position <= limit + FRAME_TOLERANCE,
            f"segment {index + 1} finished at {seconds(limit)} at most, what had been played",
            seconds(event.position),
            hint=POSITION_HINT if abs(event.position - length) <= FRAME_TOLERANCE else "",
            at=event.at,
        )
