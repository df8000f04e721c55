"""Tracks and their sources in the in-memory room."""

from __future__ import annotations

from livekit import rtc

from conformance.loopback.room import tracks as media
from conformance.loopback.room.server import LoopbackServer
from tests.loopback.in_memory_room import mint, play


def test_published_audio_is_heard_as_far_as_it_was_played() -> None:
    """A track's audio plays by the clock, and what is cleared is never heard."""

    async def scenario(server: LoopbackServer) -> None:
        room = await server.join(mint("a"))
        source = rtc.AudioSource(1000, 1, queue_size_ms=2000)
        track = rtc.LocalAudioTrack.create_audio_track("voice", source)
        await room.local_participant.publish_track(track)
        await source.capture_frame(rtc.AudioFrame(b"\1\0" * 1500, 1000, 1, 1500))
        assert round(source.queued_duration, 6) == 1.5
        await server.clock.sleep(0.5)
        source.clear_queue()
        await source.wait_for_playout()
        (heard,) = server.heard("demo", "a")
        assert heard.duration == 0.5

    play(scenario)


def test_a_full_audio_queue_makes_capturing_wait() -> None:
    """capture_frame returns once the queue holds no more than its size."""

    async def scenario(server: LoopbackServer) -> None:
        source = rtc.AudioSource(1000, 1, queue_size_ms=200)
        began = server.clock.now()
        for _ in range(5):
            await source.capture_frame(rtc.AudioFrame(b"\1\0" * 100, 1000, 1, 100))
        assert round(server.clock.now() - began, 6) == 0.3
        await source.wait_for_playout()
        assert round(server.clock.now() - began, 6) == 0.5

    play(scenario)


def test_the_real_media_classes_are_back_after_the_stage() -> None:
    """The stand-ins for sources and tracks are gone once they are not needed."""
    before = (rtc.AudioSource, rtc.VideoSource, rtc.LocalAudioTrack, rtc.LocalVideoTrack)
    with media.stand_ins():
        assert rtc.AudioSource is media.LoopbackAudioSource
    assert (rtc.AudioSource, rtc.VideoSource, rtc.LocalAudioTrack, rtc.LocalVideoTrack) == before
