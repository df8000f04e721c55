"""PLAY, continued: speech after an interruption, and after a long silence."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from conformance.suite.registry import check
from conformance.suite.scene.audio_evidence import audio_evidence
from conformance.suite.scene.expect import audio_difference, expect, seconds
from conformance.suite.scene.scene import Scene

from .play import FRAME_TOLERANCE, ONCE_HINT

SILENCE = 600.0
"""Seconds without speech, as while a user thinks or has put the phone down."""

FALLBACK = 4.0
"""Seconds in which the fallback of an unanswered clear is over on every reviewed host."""


@check("PLAY-03", variants=("new-speech-silent", "new-speech-late"))
async def speech_during_the_fallback(scene: Scene, variant: str) -> None:
    """Speech that begins while the fallback of a clear still runs is whole, and ends by itself."""
    clear: Literal["silent", "late"] = "silent" if variant.endswith("silent") else "late"
    await scene.start_session()
    avatar = await scene.create()
    healthy = avatar.backend.behaviour
    avatar.backend.behaviour = replace(healthy, clear=clear, clear_delay=1.2)
    await scene.start(avatar)
    first = scene.say(3.0)
    await scene.clock.sleep(1.0)
    scene.interrupt(first)
    await scene.clock.sleep(0.3)
    second = scene.say(2.5)
    began = scene.clock.now()
    await scene.spoken(first)
    await scene.spoken(second)
    await scene.clock.sleep(FALLBACK)
    expect(
        avatar.pcm.endswith(second.pcm),
        "the speech after the interruption reaches the avatar whole",
        f"it heard {audio_difference(second.pcm, avatar.pcm, second.sample_rate)}; "
        f"{audio_evidence(scene, second, avatar)}",
        at=began,
    )
    expect(
        len(scene.ear.finished) == 2,
        "two segments finish, once each",
        f"playback_finished came {len(scene.ear.finished)} time(s)",
        hint=ONCE_HINT if len(scene.ear.finished) > 2 else "",
        at=began,
    )
    last = scene.ear.finished[-1]
    expect(
        not last.interrupted and abs(last.position - second.seconds) <= FRAME_TOLERANCE,
        f"the new speech ends by its own length, {seconds(second.seconds)}",
        f"it finished {'interrupted ' if last.interrupted else ''}at {seconds(last.position)}",
        at=last.at,
    )


@check("PLAY-12")
async def heard_after_an_interruption(scene: Scene) -> None:
    """After a plain interruption the next segment is heard exactly, with nothing of the other."""
    await scene.start_session()
    avatar = await scene.started()
    first = scene.say(3.0)
    await scene.clock.sleep(1.0)
    scene.interrupt(first)
    await scene.spoken(first)
    interrupted_at = scene.clock.now()
    known = len(avatar.heard)
    second = scene.say(1.0)
    await scene.spoken(second)
    await scene.clock.sleep(0.5)
    new = avatar.heard[known:]
    expect(
        len(new) == 1 and bytes(new[0].pcm) == second.pcm,
        "after an interruption the avatar is sent the next speech, as one segment, and no more",
        f"it was sent {len(new)} segment(s): "
        f"{audio_difference(second.pcm, b''.join(bytes(s.pcm) for s in new), second.sample_rate)}; "
        f"{audio_evidence(scene, second, avatar)}",
        at=interrupted_at,
    )
    finished = scene.ear.finished
    expect(
        bool(finished),
        "the next speech finishes at the top of the chain",
        "no segment has finished there",
        at=interrupted_at,
    )
    last = finished[-1]
    expect(
        not last.interrupted and abs(last.position - second.seconds) <= FRAME_TOLERANCE,
        f"the next speech finishes at {seconds(second.seconds)}",
        f"{'interrupted ' if last.interrupted else ''}at {seconds(last.position)}",
        at=last.at,
    )


@check("PLAY-13")
async def speech_after_a_long_silence(scene: Scene) -> None:
    """After ten minutes without speech the next one is heard, whole, and finishes."""
    await scene.start_session()
    avatar = await scene.started()
    await scene.spoken(scene.say(0.5))
    heard = len(avatar.pcm)
    await scene.clock.sleep(SILENCE)
    speech = scene.say(0.6)
    await scene.spoken(speech)
    expect(
        avatar.pcm[heard:] == speech.pcm,
        f"speech after {SILENCE / 60:g} minutes of silence is heard, whole",
        f"it heard {audio_difference(speech.pcm, avatar.pcm[heard:], speech.sample_rate)}; "
        f"{audio_evidence(scene, speech, avatar)}",
    )
    expect(
        len(scene.ear.finished) == 2,
        "it finishes, once",
        f"playback_finished came {len(scene.ear.finished) - 1} time(s) for it",
        hint=ONCE_HINT if len(scene.ear.finished) > 2 else "",
    )
