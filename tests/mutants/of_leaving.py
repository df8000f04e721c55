"""Mutants that leave something behind."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import aiohttp

from tests.mutants.robust import SoundAvatar

from .mutant import Kill, mutant


@mutant(
    Kill("UNBIND-04", "_forever"),
    Kill("SWAP-10", "1 x task"),
    Kill("FAULT-06", "then aclose(): nothing is left"),
    story="liveavatar: five tasks go on running",
)
class LeavesATask(SoundAvatar):
    """Never cancels what it started."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        self._keeping = asyncio.ensure_future(self._forever())
        await super().start(agent_session, room, **options)

    async def _forever(self) -> None:
        await asyncio.sleep(1e6)


@mutant(
    Kill("UNBIND-04", "active_speakers_changed"),
    Kill("SWAP-10", "active_speakers_changed"),
    story="the host's own sink, and every plugin that listens to the room",
)
class LeavesARoomListener(SoundAvatar):
    """Listens to the room for good."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        await super().start(agent_session, room, **options)
        room.on("active_speakers_changed", lambda speakers: None)


@mutant(
    Kill("UNBIND-04", "agent_state_changed"),
    story="liveavatar: its listeners stay on the agent session",
)
class LeavesASessionListener(SoundAvatar):
    """Listens to the agent session for good."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        await super().start(agent_session, room, **options)
        agent_session.on("agent_state_changed", lambda event: None)


@mutant(
    Kill("UNBIND-04", "avatar.hello"),
    story="a plugin that serves a call of the room",
)
class LeavesACallHandler(SoundAvatar):
    """Goes on answering a call."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        await super().start(agent_session, room, **options)

        async def hello(call: Any) -> str:
            return "hello"

        room.local_participant.register_rpc_method("avatar.hello", hello)


@mutant(
    Kill("UNBIND-04", "HTTP session opened by"),
    story="plugins with a ClientSession of their own",
)
class LeavesAnHttpSession(SoundAvatar):
    """Never closes its HTTP session."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        await super().start(agent_session, room, **options)
        self._opened = aiohttp.ClientSession()


@mutant(
    Kill("UNBIND-04", "thread reference-heartbeat"),
    story="thought: a plugin with a thread of its own",
)
class LeavesAThread(SoundAvatar):
    """Never ends its thread."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        await super().start(agent_session, room, **options)
        thread = threading.Thread(
            target=threading.Event().wait, name="reference-heartbeat", daemon=True
        )
        thread.start()
