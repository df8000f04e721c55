"""An avatar that the host's own byte-stream output speaks through."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from typing import Any
from uuid import uuid4

import aiohttp
from livekit import api, rtc
from livekit.agents import AgentSession, get_job_context
from livekit.agents.voice.avatar import AvatarSession as BaseAvatarSession
from livekit.agents.voice.avatar import DataStreamAudioOutput
from livekit.agents.voice.io import AgentOutput, AudioOutput
from livekit.agents.voice.room_io import ATTRIBUTE_PUBLISH_ON_BEHALF

logger = logging.getLogger(__name__)

SESSIONS = "https://api.acme.example/v1/sessions"
PAUSES = (0.5, 1.0)
TIMEOUT = aiohttp.ClientTimeout(total=10)


class AcmeException(Exception):
    """A setting is missing, or the Acme API did not open a session."""


class _TryAgain(AcmeException):
    """The same request may be answered otherwise a moment later."""


class AvatarSession(BaseAvatarSession[Any]):
    """An Acme avatar; ``api_key`` falls back to ``ACME_API_KEY``."""

    def __init__(self, *, api_key: str | None = None, identity: str | None = None) -> None:
        super().__init__()
        self._key = _setting(api_key, "ACME_API_KEY")
        self._identity = identity or f"acme-avatar-{uuid4().hex[:8]}"
        self._room: rtc.Room | None = None
        self._agent_session: AgentSession[Any] | None = None
        self._starting: asyncio.Task[Any] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._remote: str | None = None

    @property
    def avatar_identity(self) -> str:
        return self._identity

    @property
    def provider(self) -> str:
        return "acme"

    async def start(
        self,
        agent_session: AgentSession[Any],
        room: rtc.Room,
        *,
        livekit_url: str | None = None,
        livekit_api_key: str | None = None,
        livekit_api_secret: str | None = None,
    ) -> None:
        url = _setting(livekit_url, "LIVEKIT_URL")
        key = _setting(livekit_api_key, "LIVEKIT_API_KEY")
        secret = _setting(livekit_api_secret, "LIVEKIT_API_SECRET")
        if self._room is not None:
            raise AcmeException("acme: already started")
        self._room, self._agent_session = room, agent_session
        self._starting = asyncio.current_task()
        try:
            await super().start(agent_session, room)
            body = {"livekit_url": url, "livekit_token": self._token(room, key, secret)}
            self._remote = await self._open(body)
            sink = DataStreamAudioOutput(
                room,
                destination_identity=self._identity,
                sample_rate=24000,
                wait_playback_start=True,
            )
            self._sink, self._former = sink, _tail(agent_session.output)
            agent_session.output.replace_audio_tail(sink)
            agent_session.on("close", self._session_closed)
            room.on("participant_disconnected", self._participant_left)
        except BaseException:
            await asyncio.shield(asyncio.ensure_future(self._release()))
            raise
        finally:
            self._starting = None

    _sink: AudioOutput | None = None
    _former: AudioOutput | None = None

    async def aclose(self) -> None:
        if self._starting is not None:
            self._starting.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._starting
        if self._room is not None and self._closing is None:
            self._closing = asyncio.ensure_future(self._release())
        if self._closing is not None:
            await asyncio.shield(self._closing)
            self._closing = None

    def _session_closed(self, _: object) -> None:
        self._closing = self._closing or asyncio.ensure_future(self._release())

    def _participant_left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._identity:
            logger.warning("the avatar %s has left the room", self._identity)

    async def _release(self) -> None:
        room, self._room = self._room, None
        if room is not None:
            room.off("participant_disconnected", self._participant_left)
        if self._agent_session is not None:
            self._agent_session.off("close", self._session_closed)
            self._put_back(self._agent_session.output)
        remote, self._remote = self._remote, None
        if remote is not None:
            try:
                await self._end(f"{SESSIONS}/{remote}")
            except AcmeException as error:
                logger.warning("the session may go on: %s", error)
        await super().aclose()

    def _put_back(self, output: AgentOutput) -> None:
        former, self._former = self._former, None
        alive = former is not None and not isinstance(former, DataStreamAudioOutput)
        if alive and _tail(output) is self._sink:
            output.replace_audio_tail(former)

    async def _end(self, url: str) -> None:
        try:
            await self._call("DELETE", url)
        except _TryAgain:
            await asyncio.sleep(PAUSES[0])
            await self._call("DELETE", url)

    async def _open(self, body: dict[str, Any]) -> str:
        for pause in PAUSES:
            with suppress(_TryAgain):
                return await self._open_once(body)
            await asyncio.sleep(pause)
        return await self._open_once(body)

    async def _open_once(self, body: dict[str, Any]) -> str:
        answer = await self._call("POST", SESSIONS, json=body)
        if not isinstance(answer, dict) or not isinstance(answer.get("id"), str):
            raise AcmeException("acme: the answer has no id")
        return str(answer["id"])

    async def _call(self, method: str, url: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._key}"}
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT, headers=headers) as http,
                http.request(method, url, allow_redirects=False, **options) as response,
            ):
                if response.status >= 300:
                    retry = response.status == 429 or response.status >= 500
                    kind = _TryAgain if retry else AcmeException
                    raise kind(f"acme: {method} was answered with {response.status}")
                return await response.json()
        except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
            raise AcmeException(f"acme: {method} failed: {type(error).__name__}") from error

    def _token(self, room: rtc.Room, key: str, secret: str) -> str:
        agent = get_job_context().local_participant_identity
        return (
            api.AccessToken(key, secret)
            .with_kind("agent")
            .with_identity(self._identity)
            .with_grants(api.VideoGrants(room_join=True, room=room.name))
            .with_attributes({ATTRIBUTE_PUBLISH_ON_BEHALF: agent})
            .to_jwt()
        )


def _tail(output: AgentOutput) -> AudioOutput | None:
    tail = output.audio
    while tail is not None and tail.next_in_chain is not None:
        tail = tail.next_in_chain
    return tail


def _setting(given: str | None, variable: str) -> str:
    value = given or os.environ.get(variable)
    if not value:
        raise AcmeException(f"acme: {variable} is not set")
    return value
