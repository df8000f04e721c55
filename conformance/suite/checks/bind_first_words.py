"""BIND, continued: the first words of a call reach an avatar that is only just arriving."""

from __future__ import annotations

from dataclasses import replace

from conformance.results.outcomes import NotApplicable
from conformance.suite.registry import check
from conformance.suite.scene.expect import audio_difference, expect
from conformance.suite.scene.scene import Scene

VIDEO_AFTER = 2.0
"""How long after joining the avatar shows its video, in seconds; it is deaf until then."""


@check("BIND-12")
async def first_words(scene: Scene) -> None:
    """Audio is not sent before the avatar is active and shows its video."""
    if not scene.manifest.capabilities.joins_room:
        raise NotApplicable("the avatar has no participant of its own (capability joins_room)")
    if scene.manifest.transport == "websocket":
        raise NotApplicable("the vendor says over its socket when the avatar is ready")
    await scene.start_session()
    avatar = await scene.create()
    avatar.backend.behaviour = replace(avatar.backend.behaviour, video_after=VIDEO_AFTER)
    await scene.start(avatar, ready=False)
    began = scene.clock.now()
    speech = scene.say(1.0)
    await scene.spoken(speech)
    await scene.clock.sleep(1.0)
    expect(
        avatar.pcm == speech.pcm,
        "the first words, said before the avatar shows its video, are heard whole",
        f"it heard {audio_difference(speech.pcm, avatar.pcm, speech.sample_rate)}",
        hint="give DataStreamAudioOutput wait_remote_track=rtc.TrackKind.KIND_VIDEO, or wait for "
        "the vendor's word that the avatar is ready",
        at=began,
    )
