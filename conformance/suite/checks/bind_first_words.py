"""BIND, continued: the first words, whose voice is heard, and speech in another rate."""

from __future__ import annotations

from dataclasses import replace

from livekit import rtc

from conformance.results.outcomes import NotApplicable
from conformance.suite.registry import check
from conformance.suite.scene.expect import audio_difference, expect, seconds
from conformance.suite.scene.scene import Scene

from .play import FRAME_TOLERANCE

VIDEO_AFTER = 2.0
"""How long after joining the avatar shows its video, in seconds; it is deaf until then."""

WAIT_FOR_IT = (
    "give DataStreamAudioOutput wait_remote_track=rtc.TrackKind.KIND_VIDEO, or wait for the "
    "vendor's word that the avatar is ready"
)
"""What mends it."""


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
    await scene.spoken(speech, hint=WAIT_FOR_IT)
    await scene.clock.sleep(1.0)
    expect(
        avatar.pcm == speech.pcm,
        "the first words, said before the avatar shows its video, are heard whole",
        f"it heard {audio_difference(speech.pcm, avatar.pcm, speech.sample_rate)}",
        hint=WAIT_FOR_IT,
        at=began,
    )


@check("BIND-14")
async def one_voice(scene: Scene) -> None:
    """The agent publishes no audio of its own beside the avatar's."""
    await scene.start_session()
    published = _audio_tracks(scene)
    avatar = await scene.started()
    before = scene.before
    assert before is not None
    known = len(before.pcm)
    speech = scene.say(1.0)
    began = scene.clock.now()
    await scene.spoken(speech)
    await scene.clock.sleep(0.5)
    more = (len(before.pcm) - known) / 2 / speech.sample_rate
    expect(
        more == 0,
        "what was bound before the avatar plays nothing beside it",
        f"it played {more:.3f} s of the speech as well",
        hint="bind in place of the tail of before, and pass nothing on to it",
        at=began,
    )
    added = _audio_tracks(scene) - published
    expect(
        added <= 0 or not avatar.manifest.capabilities.joins_room,
        "the agent publishes no audio track of its own beside the avatar's",
        f"{added} more than before start()",
        hint="let the avatar's participant publish its voice, and nobody else",
        at=began,
    )


def _audio_tracks(scene: Scene) -> int:
    """How many audio tracks the agent publishes now."""
    tracks = scene.room.local_participant.track_publications.values()
    return sum(track.kind == rtc.TrackKind.KIND_AUDIO for track in tracks)


OTHER_RATE = 44100
"""What some voices come in, in Hz."""


@check("BIND-04", variants=("other-rate",))
async def other_rate(scene: Scene, variant: str) -> None:
    """Speech in another rate than the declared one arrives in the declared one."""
    declared = scene.manifest.sample_rate
    if declared is None or declared == OTHER_RATE:
        raise NotApplicable(f"the provider takes audio at {OTHER_RATE} Hz as it is")
    await scene.start_session()
    avatar = await scene.started()
    speech = scene.say(1.5, rate=OTHER_RATE)
    await scene.spoken(speech)
    await scene.clock.sleep(0.5)
    rates = sorted({segment.sample_rate for segment in avatar.heard})
    expect(
        rates == [declared],
        f"speech at {OTHER_RATE} Hz arrives at {declared} Hz, as declared",
        f"it arrives at {' and '.join(map(str, rates)) or 'no'} Hz",
        hint="give the sink the sample rate that the manifest declares, or resample in it",
    )
    heard = sum(segment.duration for segment in avatar.heard)
    expect(
        abs(heard - speech.seconds) <= FRAME_TOLERANCE,
        f"all of it, {seconds(speech.seconds)}",
        f"{seconds(heard)}",
        hint="flush the resampler at the end of a segment",
    )
