"""Mutants that say that they pause."""

from __future__ import annotations

import time
from typing import Any

from livekit.agents.voice import io

from .mutant import Kill, mutant
from .pausing_provider import PausingAdapter, PausingAvatar, PausingSink


class Pausing(PausingAvatar):
    """The sound avatar that pauses, to be changed."""

    adapter = PausingAdapter


class _OnlySaysSo(PausingSink):
    def pause(self) -> None:
        io.AudioOutput.pause(self)

    def resume(self) -> None:
        io.AudioOutput.resume(self)


@mutant(
    Kill("PLAY-11", "a speech that is paused does not go on", "resumed"),
    story="thought: pause=True, and the base class's pause() that passes it to nobody",
)
class OnlySaysThatItPauses(Pausing):
    sink = _OnlySaysSo


class _CountsOn(PausingSink):
    def _go_on(self) -> None:
        self._paused_at = None

    def hear(self, event: dict[str, Any]) -> None:
        if event.get("interrupted") and self._started_at is not None:
            event = {**event, "position": time.time() - self._started_at}
        super().hear(event)


@mutant(
    Kill("PLAY-11", "the position stood still", "interrupted"),
    story="thought: the position is counted by the clock, which goes on while the avatar does not",
)
class CountsWhileItPauses(Pausing):
    sink = _CountsOn
