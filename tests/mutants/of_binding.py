"""Mutants that start wrongly."""

from __future__ import annotations

from typing import Any

from livekit import rtc
from livekit.agents.voice.avatar import DataStreamAudioOutput

from conformance.reference.sound import SoundAvatar

from .mutant import Kill, mutant


def sink(avatar: Any, room: rtc.Room) -> DataStreamAudioOutput:
    """A sink like the sound avatar's own."""
    return DataStreamAudioOutput(
        room,
        destination_identity=avatar.avatar_identity,
        sample_rate=24000,
        wait_remote_track=rtc.TrackKind.KIND_VIDEO,
        wait_playback_start=True,
    )


@mutant(
    Kill("BIND-02", "the wrappers were replaced"),
    Kill("SWAP-01", "the wrappers were replaced"),
    story="every plugin before livekit-agents 1.6.1, and the pull request",
)
class RawAssignment(SoundAvatar):
    """Assigns the output, and so drops the wrappers."""

    def _bind(self) -> None:
        self._output.audio = sink(self, self._own_room)


@mutant(
    Kill("BIND-01", "it bound 2 times"),
    story="a plugin that binds in its constructor's helper and again in start()",
)
class BindsTwice(SoundAvatar):
    """Binds a sink, and then another."""

    def _bind(self) -> None:
        self._output.replace_audio_tail(sink(self, self._own_room))
        self._output.replace_audio_tail(sink(self, self._own_room))


@mutant(Kill("BIND-01", "the tail is still"), story="simli and avatartalk on a refusal")
class BindsNothing(SoundAvatar):
    """Opens its session and binds nothing."""

    def _bind(self) -> None:
        return
