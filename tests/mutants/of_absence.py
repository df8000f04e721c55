"""Mutants whose worker never comes, goes, or is out of reach for a while."""

from __future__ import annotations

from typing import Any

from livekit import rtc

from tests.mutants.robust import SoundAvatar

from .mutant import Kill, mutant


@mutant(
    Kill("FAULT-11", "the speech completes within", "before-session"),
    Kill("FAULT-11", "the speech completes within", "mid-session"),
    story="reported: the vendor accepts, no avatar joins, and the agent never says another word",
)
class WaitsForTheWorkerForEver(SoundAvatar):
    def _give_up(self) -> None:
        return


@mutant(
    Kill("FAULT-11", "the speech completes within", "after-close"),
    story="reported: closing an avatar that never came leaves the agent mute",
)
class UnbindsOnlyWhoHasCome(SoundAvatar):
    async def _release(self) -> None:
        if self._participant_sid is None:
            self._binding = None
        await super()._release()


@mutant(
    Kill("FAULT-07", "the speech completes within", "idle"),
    story="thought: who leaves is looked for only when a speech has to be ended",
)
class LooksOnlyWhileItSpeaks(SoundAvatar):
    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        assert self._own_session is not None
        if self._own_session.current_speech is not None:
            super()._on_left(participant)


@mutant(
    Kill("FAULT-07", "nothing tells of it", "told"),
    story="reported: the avatar froze and no log of the agent had a word of it",
)
class LeavesWithoutAWord(SoundAvatar):
    def _on_gone(self, participant: rtc.RemoteParticipant) -> None:
        return


@mutant(
    Kill("FAULT-12", "the avatar heard none of the audio", "idle"),
    Kill("FAULT-12", "the avatar heard none of the audio", "mid-speech"),
    story="reported: after a change of network the call goes on and the avatar stays mute",
)
class TakesAGapForTheEnd(SoundAvatar):
    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        await super().start(agent_session, room, **options)
        room.on("reconnecting", self._unbind)

    async def _leave_room(self) -> None:
        if self._watched is not None:
            self._watched.off("reconnecting", self._unbind)
        await super()._leave_room()
