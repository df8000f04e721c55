"""A scene with a deployed avatar: it, the agent and one listener in a room of a real server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from livekit import api, rtc

from conformance.live.stage import LiveStage
from conformance.plugin.room import Clock

from .audible_code import BLOCK, encode
from .listener import Listener
from .recording import Recording, Segment
from .wire import Line

ROOM = "conformance"
AGENT = "agent"
LISTENER = "listener"
BOUND = 30.0
"""Seconds that an avatar has to join, to be heard, and to leave."""
SETTLE = 1.0
"""Seconds given for what is heard after it was reported."""


class Deployed(Protocol):
    """An avatar that was brought into the room. ``line`` leads to it."""

    identity: str
    line: Line
    sample_rate: int
    takes_any_rate: bool
    through_gateway: bool
    """Whether its connection goes through the kit, which can cut it."""

    @property
    def ended(self) -> str:
        """How it ended by itself, in words; empty while it runs."""

    async def close(self) -> None:
        """End it."""


class Deployment(Protocol):
    """What is deployed, and how it is brought into a room."""

    @property
    def name(self) -> str:
        """The name of the subject."""

    async def bring(self, stage: LiveStage, agent: rtc.Room) -> Deployed:
        """Bring it into the room that ``agent`` is in."""


class DeployedScene:
    """What a scenario works with. Opened by :func:`open_scene`."""

    def __init__(
        self,
        stage: LiveStage,
        agent: rtc.Room,
        listener: Listener,
        deployment: Deployment,
        other: Deployment,
    ) -> None:
        self.stage = stage
        self.agent = agent
        self.listener = listener
        self.marks: dict[str, float] = {}
        self.deployment = deployment
        self.other = other
        self._avatar: Deployed | None = None
        self._began = stage.clock.now()
        self._segments: list[Segment] = []
        self._next = 0

    @property
    def clock(self) -> Clock:
        """The stage's clock."""
        return self.stage.clock

    @property
    def avatar(self) -> Deployed:
        """The avatar, once it was brought."""
        assert self._avatar is not None, "the scenario has not brought the avatar"
        return self._avatar

    async def bring(self) -> None:
        """Bring the avatar, and wait until it is there with its picture; at most `BOUND` s."""
        self._began = self.clock.now()
        self._avatar = await self.deployment.bring(self.stage, self.agent)
        identity = self.avatar.identity
        await self.until(lambda: self.listener.present(identity) or bool(self.avatar.ended), BOUND)
        await self.until(
            lambda: identity in self.listener.video_at or not self.listener.present(identity), 10.0
        )
        await self.until(lambda: identity in self.agent.remote_participants, 5.0)

    async def speak(self, seconds: float, *, sample_rate: int = 0, end: bool = True) -> Segment:
        """Send a segment in code, as fast as the line takes it."""
        rate = sample_rate or self.avatar.sample_rate
        blocks = round(seconds / BLOCK)
        segment = Segment(self._next, blocks, self.clock.now())
        self._segments.append(segment)
        self._next += blocks
        self.stage.timeline.record("agent", "say", blocks=blocks, seconds=segment.seconds)
        if self.listener.present(self.avatar.identity):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(
                    self.avatar.line.send(encode(segment.first, blocks, rate), rate), BOUND
                )
                if end:
                    await asyncio.wait_for(self.avatar.line.end(), BOUND)
        return segment

    async def clear(self) -> None:
        """Interrupt, and remember when."""
        at = self.clock.now()
        self._segments[-1] = replace(self._segments[-1], cleared=at)
        self.stage.timeline.record("agent", "interrupt")
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.avatar.line.clear(), 5.0)

    async def finished(self, count: int, *, seconds: float) -> bool:
        """Wait until ``count`` segments were reported as finished; says whether they were.

        Waits ``seconds``, which is as long as they are, and 4 s more.
        """
        line = self.avatar.line
        done = await self.until(lambda: len(line.finished) >= count, seconds + 4.0)
        await self.clock.sleep(SETTLE)
        return done

    async def until(self, holds: Callable[[], bool], seconds: float) -> bool:
        """Wait until ``holds``, at most ``seconds``; says whether it did."""
        deadline = self.clock.now() + seconds
        while not holds() and self.clock.now() < deadline:
            await self.clock.sleep(0.02)
        return holds()

    def mark(self, name: str) -> None:
        """Remember this moment."""
        self.marks[name] = self.clock.now()

    async def join(self, identity: str) -> rtc.Room:
        """Let somebody join as ``identity``."""
        return await self.stage.server.join(token(self.stage, identity))

    async def remove(self, identity: str) -> None:
        """Remove a participant through the room API, as an agent's job does."""
        credentials = self.stage.server.credentials
        async with api.LiveKitAPI(
            credentials.url, credentials.api_key, credentials.api_secret
        ) as room_api:
            await room_api.room.remove_participant(
                api.RoomParticipantIdentity(room=ROOM, identity=identity)
            )

    def recording(self) -> Recording:
        """Everything seen and heard so far."""
        avatar, ear = self.avatar, self.listener
        identity = avatar.identity
        joined = ear.joined.get(identity, [])
        left = ear.left.get(identity, [])
        recording = Recording(
            identity=identity,
            began=self._began,
            segments=tuple(self._segments),
            heard=tuple(block for block in ear.heard() if block.identity == identity),
            started=tuple(avatar.line.started),
            finished=tuple(avatar.line.finished),
            joined=joined[0] if joined else None,
            kind=ear.kinds.get(identity, ""),
            video_at=ear.video_at.get(identity),
            audio_at=ear.audio_at.get(identity),
            left=left[-1] if left else None,
            back=joined[-1] if len(joined) > 1 else None,
            strangers=tuple(name for name in ear.joined if name != identity),
            ended_by_itself=avatar.ended,
            marks=dict(self.marks),
        )
        self._note(recording)
        return recording

    def _note(self, recording: Recording) -> None:
        for number, segment in enumerate(recording.segments, 1):
            blocks = recording.of(segment)
            self.stage.timeline.record(
                "worker",
                "heard",
                f"segment {number}",
                sent=segment.blocks,
                blocks=" ".join(str(block.number - segment.first) for block in blocks),
                cleared=segment.cleared is not None,
            )

    async def end(self) -> None:
        """End the avatar and the listener."""
        if self._avatar is not None:
            await self._avatar.close()
        await self.listener.aclose()
        await self.agent.disconnect()


def token(
    stage: LiveStage, identity: str, *, kind: str = "", attributes: dict[str, str] | None = None
) -> str:
    """A token with which ``identity`` joins the scene's room."""
    credentials = stage.server.credentials
    minted = (
        api.AccessToken(credentials.api_key, credentials.api_secret)
        .with_identity(identity)
        .with_name(identity)
        .with_ttl(timedelta(hours=1))
        .with_grants(api.VideoGrants(room_join=True, room=ROOM, can_update_own_metadata=True))
    )
    if attributes:
        minted = minted.with_attributes(attributes)
    if kind == "agent":
        minted = minted.with_kind("agent")
    return minted.to_jwt()


@asynccontextmanager
async def open_scene(
    stage: LiveStage, deployment: Deployment, other: Deployment | None = None
) -> AsyncIterator[DeployedScene]:
    """The agent and a listener in a room of the stage's server.

    ``other`` is what ``deployment`` is exchanged for; by default another one of itself.
    """
    agent = await stage.server.join(token(stage, AGENT, kind="agent"))
    ear = await stage.server.join(token(stage, LISTENER))
    listener = Listener(ear, stage.clock, known=frozenset((AGENT, LISTENER)))
    scene = DeployedScene(stage, agent, listener, deployment, other or deployment)
    try:
        yield scene
    finally:
        await scene.end()


__all__ = ["AGENT", "BOUND", "Deployed", "DeployedScene", "Deployment", "open_scene", "token"]
