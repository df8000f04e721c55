"""Mutants of the first words, of retries that are switched off, and of the second time around."""

from __future__ import annotations

from typing import Any

from livekit import rtc

from conformance.endpoint import current_endpoint
from conformance.reference import api as reference
from conformance.reference.api import ReferenceApi, ReferenceError
from conformance.reference.avatar import SAMPLE_RATE
from tests.mutants.robust import SoundAvatar, SoundSink

from .mutant import Kill, mutant


@mutant(
    Kill("BIND-12", "the speech completes within"),
    story="reported: the greeting is cut off; simli and bithuman send before the video is up",
)
class SendsBeforeTheVideo(SoundAvatar):
    def _sink(self) -> Any:
        assert self._own_room is not None
        return SoundSink(
            self._own_room,
            destination_identity=self._identity,
            sample_rate=SAMPLE_RATE,
            wait_playback_start=True,
        )


@mutant(
    Kill("BIND-15", "start() works"),
    story="reported: max_retry=0 never calls; avatario, bithuman, liveavatar and runway",
)
class CountsRetriesForAttempts(SoundAvatar):
    def _vendor(self) -> ReferenceApi:
        return ReferenceApi(self._api_key, attempts=self._attempts - 1)


@mutant(
    Kill("BIND-15", "each call of start() is made once; observed open session 2 times"),
    story="thought: a client that asks once more to be sure",
)
class AsksOnceMore(ReferenceApi):
    async def open(self, **wanted: str) -> str:
        await super().open(**wanted)
        return await super().open(**wanted)


@mutant(
    Kill("UNBIND-12", "nobody of the avatar is in the room after aclose()"),
    story="avatartalk: a second participant that nobody takes out of the room",
)
class StaysInTheRoom(SoundAvatar):
    async def _release(self) -> None:
        self._remote_session = None
        await super()._release()

    async def _leave_room(self) -> None:
        if self._watched is not None:
            self._watched.off("participant_active", self._active)
            self._watched.off("participant_disconnected", self._on_left)
            self._watched = None


@mutant(
    Kill("UNBIND-13", "sessions of the vendor left open after the second aclose()"),
    story="runway: the task that ends a session is kept, and taken to have done it",
)
class EndedOnceForAll(SoundAvatar):
    _has_ended = False

    async def _release(self) -> None:
        if self._has_ended:
            self._remote_session = None
        self._has_ended = self._remote_session is not None or self._has_ended
        await super()._release()


@mutant(
    Kill("FAULT-05", "is answered with one 500 and then served", "one-500"),
    story="simli 1.8.8, did: one 500 and no avatar",
)
class GivesUpAtOnce(SoundAvatar):
    def _vendor(self) -> ReferenceApi:
        return ReferenceApi(self._api_key, attempts=1)


@mutant(
    Kill("FAULT-08", "3, each billed", "reset-inside-answer"),
    story="tavus 1.8.4: an answer that is cut off is asked for again",
)
class CutAnswerAskedAgain(ReferenceApi):
    async def _open_once(self, body: dict[str, Any]) -> str:
        try:
            return await super()._open_once(body)
        except ReferenceError as error:
            if "no answer" not in str(error):
                raise
            raise reference._TryAgain(str(error)) from error


@mutant(
    Kill("BIND-14", "what was bound before the avatar plays nothing beside it"),
    story="reported: the agent is heard twice, once as itself and once as the avatar",
)
class SpeaksTwice(SoundAvatar):
    def _sink(self) -> Any:
        sink = super()._sink()
        plain = sink.capture_frame
        former = current_endpoint(self._output)

        async def capture(frame: rtc.AudioFrame) -> None:
            if former is not None:
                await former.capture_frame(frame)
            await plain(frame)

        sink.capture_frame = capture
        return sink


@mutant(
    Kill("BIND-14", "the agent publishes no audio track of its own beside the avatar's"),
    story="thought: the agent's own voice is published for a start, and never taken back",
)
class PublishesItsOwnVoice(SoundAvatar):
    async def start(self, agent_session: Any, room: rtc.Room, **options: Any) -> None:
        await super().start(agent_session, room, **options)
        voice = rtc.LocalAudioTrack.create_audio_track("voice", rtc.AudioSource(24000, 1))
        await room.local_participant.publish_track(voice)


@mutant(
    Kill("BIND-04", "arrives at 24000 Hz, as declared; observed it arrives at 44100 Hz"),
    story="reported: with another voice the avatar speaks too slowly",
)
class TakesTheRateAsItComes(SoundAvatar):
    def _sink(self) -> Any:
        assert self._own_room is not None
        return SoundSink(
            self._own_room,
            destination_identity=self._identity,
            wait_remote_track=rtc.TrackKind.KIND_VIDEO,
            wait_playback_start=True,
        )
