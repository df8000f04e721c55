"""What the small plugins share: the reference vendor's API, whoever carries its requests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from conformance.reference.api import (
    ATTEMPTS,
    BASE_URL,
    PAUSE,
    TIMEOUT,
    ReferenceApi,
    ReferenceError,
)
from tests.mutants.robust import SoundAvatar

HOST = BASE_URL.partition("://")[2]


@dataclass(frozen=True)
class Answer:
    """What the vendor has answered."""

    status: int
    content_type: str
    body: bytes


class Unreachable(Exception):
    """There is no answer, or only a part of one; ``again`` where it is worth another try."""

    def __init__(self, why: BaseException | str, *, again: bool = True) -> None:
        super().__init__(why if isinstance(why, str) else f"network: {type(why).__name__}")
        self.again = again


Exchange = Callable[[str, str, dict[str, str], bytes], Awaitable[Answer]]
"""Sends a method, URL, headers and body; raises `Unreachable`."""


class Api(ReferenceApi):
    """Opens and ends sessions by any client."""

    def __init__(self, api_key: str, exchange: Exchange) -> None:
        super().__init__(api_key)
        self._exchange = exchange

    async def __aenter__(self) -> Api:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def open(self, *, url: str, token: str, identity: str) -> str:
        """Open a session; returns its id."""
        body = {"livekit_url": url, "livekit_token": token, "identity": identity}
        try:
            return session_in(await self._answered("POST", "/v1/sessions", body))
        except Unreachable as error:
            raise ReferenceError(f"reference: no session: {error}") from error

    async def end(self, session_id: str) -> None:
        """End a session; raises `ReferenceError` when the vendor does not confirm."""
        try:
            answer = await self._answered("DELETE", f"/v1/sessions/{session_id}", None)
        except Unreachable as error:
            raise ReferenceError(f"reference: ending failed: {error}") from error
        if answer.status >= 400 and answer.status != 404:
            raise ReferenceError(f"reference: ending failed: status {answer.status}")

    async def _answered(self, method: str, path: str, body: Any) -> Answer:
        """The answer, asked for again where that may help; raises `Unreachable`.

        Ending a session twice ends it once, so that is asked for again also where a part of the
        answer had come; opening one is not.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = await self._send(method, path, body)
                if answer.status in (408, 429) or answer.status >= 500:
                    raise Unreachable(f"status {answer.status}")
                break
            except Unreachable as error:
                if attempt == ATTEMPTS or (method == "POST" and not error.again):
                    raise
            await asyncio.sleep(PAUSE)
        return answer

    async def _send(self, method: str, path: str, body: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self._api_key}"}
        content = b""
        if body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(body).encode()
        try:
            return await asyncio.wait_for(
                self._exchange(method, BASE_URL + path, headers, content), TIMEOUT
            )
        except asyncio.TimeoutError as error:
            raise Unreachable(error) from error


class ThreadApi(Api):
    """Opens and ends sessions by a client that blocks a thread, which nobody can cancel."""

    async def _send(self, method: str, path: str, body: Any) -> Answer:
        sending = asyncio.ensure_future(super()._send(method, path, body))
        try:
            return await asyncio.shield(sending)
        except asyncio.CancelledError:
            with suppress(Unreachable, ReferenceError):
                answer = await sending
                if method == "POST":
                    await self.end(session_in(answer))
            raise


def session_in(answer: Answer) -> str:
    """The session that was opened; raises `ReferenceError` where none was."""
    if answer.status >= 300:
        raise ReferenceError(f"reference: no session: status {answer.status}")
    if not answer.content_type.startswith("application/json"):
        raise ReferenceError("reference: the answer is not JSON")
    try:
        return str(json.loads(answer.body)["session_id"])
    except (ValueError, TypeError, KeyError):
        raise ReferenceError("reference: the answer has no session_id") from None


class ClientAvatar(SoundAvatar):
    """The sound avatar, with its vendor's requests carried by ``exchange``."""

    exchange: ClassVar[Exchange]
    api: ClassVar[type[Api]] = Api

    def _vendor(self) -> ReferenceApi:
        return self.api(self._api_key, type(self).exchange)
