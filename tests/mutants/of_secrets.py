"""Mutants that let secrets out, or talk to somebody they do not declare."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

import aiohttp
from livekit import api

from conformance.reference.api import ReferenceApi
from tests.mutants.robust import SoundAvatar

from .mutant import Kill, mutant

logger = logging.getLogger("livekit.plugins.reference")


@mutant(
    Kill("SEC-01", "no secret in attribute 'key' of participant 'avatar-reference-sound'"),
    story="bithuman: the API secret is an attribute of the avatar's participant",
)
class SecretInAttribute(SoundAvatar):
    def _mint(self, room: Any, key: str, secret: str) -> str:
        token = api.AccessToken(key, secret).with_identity(self._identity).with_kind("agent")
        grants = api.VideoGrants(room_join=True, room=room.name)
        behalf = {"lk.publish_on_behalf": room.local_participant.identity}
        return token.with_grants(grants).with_attributes({**behalf, "key": self._api_key}).to_jwt()


@mutant(
    Kill("SEC-01", "no secret in a log record of livekit.plugins.reference"),
    story="trugen and lemonslice: the whole request is logged when it fails",
)
class SecretInLog(SoundAvatar):
    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        logger.debug("starting", extra={"headers": {"Authorization": self._api_key}})
        await super().start(agent_session, room, **options)


@mutant(
    Kill("SEC-01", "no secret in a log record of livekit.plugins.reference"),
    story="a plugin that logs the settings it was given",
)
class RoomSecretInLog(SoundAvatar):
    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        logger.info("joining with %s", options)
        await super().start(agent_session, room, **options)


@mutant(
    Kill("SEC-01", "no secret in repr() of the avatar session; observed api_key"),
    story="simli: its configuration is a plain dataclass",
)
class SecretInRepr(SoundAvatar):
    def __repr__(self) -> str:
        return f"SoundAvatar(api_key={self._api_key!r})"


@mutant(
    Kill("SEC-01", "no secret in the URL of a request; observed api_key"),
    story="thought: a vendor whose key is a query parameter",
)
class SecretInUrl(ReferenceApi):
    def _request(self, method: str, path: str, **options: Any) -> Any:
        return super()._request(method, f"{path}?key={self._api_key}", **options)


@mutant(
    Kill("SEC-02", "telemetry.reference.test"),
    story="thought: a plugin that counts its users",
)
class UndeclaredHost(SoundAvatar):
    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        await super().start(agent_session, room, **options)
        async with aiohttp.ClientSession() as http:
            with suppress(aiohttp.ClientError, OSError):
                await http.get("https://telemetry.reference.test/started")


@mutant(
    Kill("SEC-02", "updates.reference.test"),
    story="thought: a plugin that looks for a newer version, in the background",
)
class UndeclaredHostLater(SoundAvatar):
    def _bind(self) -> None:
        super()._bind()

        async def look() -> None:
            with suppress(OSError):
                await asyncio.open_connection("updates.reference.test", 443)

        self._looking = asyncio.ensure_future(look())
