"""The reference avatar: the host's own parts, used as they are meant to be."""

from __future__ import annotations

import asyncio
import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from livekit import api, rtc
from livekit.agents import APIConnectOptions, Plugin, get_job_context
from livekit.agents.voice.avatar import AvatarSession, DataStreamAudioOutput
from livekit.agents.voice.room_io import ATTRIBUTE_PUBLISH_ON_BEHALF

from conformance import __version__
from conformance.host import bind_tail

from .api import ATTEMPTS, ReferenceApi, ReferenceError

if TYPE_CHECKING:
    from livekit.agents import AgentSession

logger = logging.getLogger(__name__)


class ReferencePlugin(Plugin):
    """How the reference provider is known to the host."""

    def __init__(self) -> None:
        super().__init__(__name__, __version__, "avatar-conformance", logger)


Plugin.register_plugin(ReferencePlugin())

SAMPLE_RATE = 24000


class ReferenceAvatar(AvatarSession[Any]):
    """An avatar whose worker is sent audio over byte streams.

    It is careful with its vendor, and makes nothing good that the host itself does wrong: what
    fails here is the host's defect.

    ``api_key`` falls back to ``REFERENCE_API_KEY``. ``identity`` is unique for each instance unless
    it is given. ``conn_options`` says how often to try. Raises `ReferenceError` where a setting is
    missing.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        identity: str | None = None,
        conn_options: APIConnectOptions | None = None,
    ) -> None:
        super().__init__()
        self._attempts = ATTEMPTS if conn_options is None else conn_options.max_retry + 1
        key = api_key or os.environ.get("REFERENCE_API_KEY")
        if not key:
            raise ReferenceError("reference: REFERENCE_API_KEY is not set")
        self._api_key = key
        self._identity = identity or f"reference-avatar-{uuid4().hex[:8]}"
        self._remote_session: str | None = None
        self._output: Any = None
        self._starting: asyncio.Task[Any] | None = None
        self._own_room: rtc.Room | None = None
        self._own_session: AgentSession[Any] | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def avatar_identity(self) -> str:
        """The identity that the avatar's participant has."""
        return self._identity

    @property
    def provider(self) -> str:
        """The vendor's name."""
        return "reference"

    async def start(
        self,
        agent_session: AgentSession[Any],
        room: rtc.Room,
        *,
        livekit_url: str | None = None,
        livekit_api_key: str | None = None,
        livekit_api_secret: str | None = None,
    ) -> None:
        """Open a session at the vendor and bind its audio endpoint.

        Raises `ReferenceError`; nothing is bound, opened or left then.
        """
        url = livekit_url or os.environ.get("LIVEKIT_URL")
        key = livekit_api_key or os.environ.get("LIVEKIT_API_KEY")
        secret = livekit_api_secret or os.environ.get("LIVEKIT_API_SECRET")
        if not url or not key or not secret:
            raise ReferenceError("reference: LIVEKIT_URL, _API_KEY and _API_SECRET are not all set")
        if self._own_room is not None:
            raise ReferenceError("reference: already started")
        self._own_room, self._own_session = room, agent_session
        self._starting = asyncio.current_task()
        try:
            await super().start(agent_session, room)
            token = self._mint(room, key, secret)
            async with self._vendor() as vendor:
                self._remote_session = await vendor.open(
                    url=url, token=token, identity=self._identity
                )
            self._output = agent_session.output
            self._bind()
            agent_session.on("close", self._on_session_close)
            room.on("participant_disconnected", self._on_gone)
        except BaseException:
            self._starting = None
            await asyncio.shield(asyncio.ensure_future(self._release()))
            raise
        finally:
            self._starting = None

    async def aclose(self) -> None:
        """End the avatar: its vendor session, its participant. Never raises."""
        if self._starting is not None and self._starting is not asyncio.current_task():
            self._starting.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._starting
        if self._own_room is None and self._closing is None:
            return
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._release())
        await asyncio.shield(self._closing)
        self._closing = None

    async def _release(self) -> None:
        room, self._own_room = self._own_room, None
        session, self._own_session = self._own_session, None
        if room is None:
            return
        room.off("participant_disconnected", self._on_gone)
        if session is not None:
            session.off("close", self._on_session_close)
        remote, self._remote_session = self._remote_session, None
        if remote is not None:
            try:
                async with self._vendor() as vendor:
                    await vendor.end(remote)
            except ReferenceError as error:
                logger.warning("%s", error)
        await self._leave_room()

    async def _leave_room(self) -> None:
        await super().aclose()

    def _vendor(self) -> ReferenceApi:
        return ReferenceApi(self._api_key, attempts=self._attempts)

    def _bind(self) -> None:
        bind_tail(self._output, self._sink())

    def _sink(self) -> DataStreamAudioOutput:
        assert self._own_room is not None
        return DataStreamAudioOutput(
            self._own_room,
            destination_identity=self._identity,
            sample_rate=SAMPLE_RATE,
            wait_remote_track=rtc.TrackKind.KIND_VIDEO,
            wait_playback_start=True,
        )

    def _on_gone(self, participant: rtc.RemoteParticipant) -> None:
        if participant.identity == self._identity:
            logger.warning("reference: the avatar has left the room")

    def _on_session_close(self, _: object) -> None:
        self._closing = self._closing or asyncio.ensure_future(self._release())

    def _mint(self, room: rtc.Room, key: str, secret: str) -> str:
        return (
            api.AccessToken(key, secret)
            .with_kind("agent")
            .with_identity(self._identity)
            .with_name("Reference avatar")
            .with_grants(api.VideoGrants(room_join=True, room=room.name))
            .with_attributes(
                {ATTRIBUTE_PUBLISH_ON_BEHALF: get_job_context().local_participant_identity}
            )
            .to_jwt()
        )
