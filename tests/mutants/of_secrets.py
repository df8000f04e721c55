"""Mutants that let secrets out, or talk to somebody they do not declare."""

from __future__ import annotations

import asyncio
import base64
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Callable
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


def says(where: str, story: str, say: Callable[[str], object], what: str = "api_key") -> None:
    """Declare a mutant that says its key somewhere when it starts."""

    class Saying(SoundAvatar):
        async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
            say(self._api_key)
            await super().start(agent_session, room, **options)

    Saying.__name__ = f"Secret{say.__name__.title().replace('_', '')}"
    mutant(Kill("SEC-01", f"no secret in {where}; observed {what}"), story=story)(Saying)


def _on_stdout(key: str) -> None:
    print("key", key)


def _on_stderr(key: str) -> None:
    os.write(2, key.encode())


def _in_warning(key: str) -> None:
    warnings.warn(f"the key {key} expires soon", DeprecationWarning, stacklevel=2)


def _in_own_logger(key: str) -> None:
    own = logging.getLogger("acme_client")
    own.propagate = False
    own.warning("using %s", key)


def _in_task_name(key: str) -> None:
    asyncio.ensure_future(asyncio.sleep(0)).set_name(f"stream of {key}")


def _in_arguments_of_child(key: str) -> None:
    subprocess.run([sys.executable, "-c", "", key], check=True)


def _in_environment_of_child(key: str) -> None:
    subprocess.run([sys.executable, "-c", ""], check=True, env={**os.environ, "ENCODER_KEY": key})


def _in_base64(key: str) -> None:
    logger.debug("Authorization: Basic %s", base64.b64encode(f"user:{key}".encode()).decode())


def _in_part(key: str) -> None:
    logger.debug("key ...%s", key[-12:])


says("stdout", "a print() that was left in", _on_stdout)
says("stderr", "a native library that logs the URL it connects to", _on_stderr)
says("a warning (DeprecationWarning)", "a client that warns about an old key", _in_warning)
says("a log record of acme_client", "a vendor's SDK with a logger of its own", _in_own_logger)
says("the name of a task", "tasks that are named after what they serve", _in_task_name)
says("the arguments of a child process", "an encoder that is given the key", _in_arguments_of_child)
says("the environment of a child process", "the same, by a variable", _in_environment_of_child)
log = "a log record of livekit.plugins.reference"
says(log, "headers of basic authentication in a log", _in_base64, "api_key in base64")
says(log, "a key that is shortened, not enough", _in_part, "8 characters or more of api_key")


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
