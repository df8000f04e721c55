"""The agent of the demo: it joins, speaks line after line, and swaps its avatar when asked."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack
from datetime import timedelta
from types import TracebackType
from typing import Literal

from livekit import api, rtc
from livekit.agents import Agent, AgentSession

from conformance.endpoint import AvatarSwitcher, Order
from conformance.host import job_context, start_session
from conformance.plugin.room import Credentials

from .voice import LINES, spoken
from .wave_avatar import COLOURS, WaveAvatar

ROOM = "avatar-conformance-demo"
AGENT = "agent"
PAUSE = 0.6
"""Seconds between two lines."""


class Performance:
    """The agent in its room, from ``async with`` on, speaking until the end of the block."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Performance:
        async with AsyncExitStack() as stack:
            room, token = await self._join()
            stack.push_async_callback(room.disconnect)
            await stack.enter_async_context(
                job_context(room, token=token, url=self._credentials.url, agent_identity=AGENT)
            )
            session: AgentSession[None] = AgentSession()
            stack.push_async_callback(session.aclose)
            switcher = AvatarSwitcher(session, room, order=Order.START_THEN_CLOSE)
            first = next(iter(COLOURS))
            await start_session(session, Agent(instructions="speak"), room=room, record=False)
            await switcher.swap(WaveAvatar(first, self._credentials))
            stack.push_async_callback(switcher.release)
            stack.callback(
                switcher.register_rpc(
                    room, lambda asked: WaveAvatar(asked.avatar, self._credentials)
                )
            )
            speaking = asyncio.ensure_future(_speak(session))
            stack.push_async_callback(_end, speaking)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    def user_token(self, identity: str) -> str:
        """A token for somebody who watches."""
        return self._token(identity, kind="standard")

    async def _join(self) -> tuple[rtc.Room, str]:
        token = self._token(AGENT, kind="agent")
        room = rtc.Room()
        await room.connect(self._credentials.url, token)
        return room, token

    def _token(self, identity: str, *, kind: Literal["agent", "standard"]) -> str:
        return (
            api.AccessToken(self._credentials.api_key, self._credentials.api_secret)
            .with_kind(kind)
            .with_identity(identity)
            .with_ttl(timedelta(hours=1))
            .with_grants(api.VideoGrants(room_join=True, room=ROOM))
            .to_jwt()
        )


async def _speak(session: AgentSession[None]) -> None:
    for line in itertools.cycle(LINES):
        handle = session.say(line, audio=spoken(line), add_to_chat_ctx=False)
        await handle.wait_for_playout()
        await asyncio.sleep(PAUSE)


async def _end(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
