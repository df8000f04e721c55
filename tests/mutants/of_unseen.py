"""Mutants that fail where nobody looks, or cry where nothing is wrong."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Any

from livekit import rtc

from conformance.reference.api import ReferenceError
from tests.mutants.robust import SoundAvatar

from .mutant import Kill, mutant
from .of_sockets import Socketed

logger = logging.getLogger(__name__)


@mutant(
    Kill("FAULT-14", "a task ended with RuntimeError: no voice", "call"),
    story="liveavatar: a task that has failed is forgotten, and its exception with it",
)
class ForgetsATask(SoundAvatar):
    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        await super().start(agent_session, room, **options)
        self._warming = asyncio.ensure_future(self._warm_up())

    async def _warm_up(self) -> None:
        await asyncio.sleep(0.5)
        raise RuntimeError("no voice")


@mutant(
    Kill("FAULT-14", "a thread ended with RuntimeError: no picture", "call"),
    story="bithuman: its renderer has threads of its own",
)
class DiesInAThread(SoundAvatar):
    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        await super().start(agent_session, room, **options)
        renderer = threading.Thread(target=self._render, daemon=True)
        renderer.start()
        await asyncio.get_running_loop().run_in_executor(None, renderer.join)

    def _render(self) -> None:
        raise RuntimeError("no picture")


@mutant(
    Kill("FAULT-14", "a task ended with ReferenceError", "refused"),
    story="reported: 'Task exception was never retrieved' after a key that was not valid",
)
class ForgetsARefusal(SoundAvatar):
    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        started = asyncio.ensure_future(super().start(agent_session, room, **options))
        await asyncio.wait([started])
        if "exception=" in repr(started):  # looked at, and not asked
            raise ReferenceError("reference: no session: status 401")


@mutant(
    Kill("FAULT-14", "a callback ended with AttributeError", "abandoned-start"),
    story="thought: a timer that is not taken back meets what aclose() has let go of",
)
class TimerMeetsNothing(SoundAvatar):
    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        self._timer = asyncio.get_running_loop().call_later(4.0, self._look)
        await super().start(agent_session, room, **options)

    def _look(self) -> None:
        assert self._timer is not None
        if self._own_room is None:
            self._own_room.name  # type: ignore[attr-defined]  # noqa: B018


@mutant(
    Kill("FAULT-14", "a listener ended with KeyError", "worker-leaves"),
    story="thought: a listener that looks up who has just left",
)
class LooksUpWhoHasLeft(SoundAvatar):
    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        super()._on_left(participant)
        if self._watched is not None:
            self._watched.remote_participants[participant.identity]


@mutant(
    Kill("FAULT-14", "a task ended with TimeoutError", "never-joins"),
    story="reported: the wait for the avatar times out in a task that nobody awaits",
)
class WaitsInATask(SoundAvatar):
    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        await super().start(agent_session, room, **options)
        self._joining = asyncio.ensure_future(self._joined())

    async def _joined(self) -> None:
        if self._participant_sid is None:
            await asyncio.sleep(2.0)
        if self._participant_sid is None:
            raise asyncio.TimeoutError


@mutant(
    Kill("FAULT-14", "a task ended with ConnectionError", "socket-drops"),
    story="thought: it connects again in a task that nobody looks after",
)
class FailsToConnectAgain(Socketed):
    def _hung_up(self) -> None:
        super()._hung_up()
        self._again = asyncio.ensure_future(self._connect_again())

    async def _connect_again(self) -> None:
        raise ConnectionError("the session is over")


@mutant(
    Kill("FAULT-15", "the avatar was closed"),
    story="reported: every call ends with an error in the log, and nothing was wrong",
)
class CriesWhenItIsClosed(SoundAvatar):
    async def aclose(self) -> None:
        logger.error("reference: the avatar was closed")
        await super().aclose()
