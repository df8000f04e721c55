"""The client of the reference vendor's API: bounded, and silent about secrets."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

BASE_URL = "https://api.reference.test"
ATTEMPTS = 3
ENDING_ATTEMPTS = 2
PAUSE = 0.5
TIMEOUT = 8.0
"""Seconds for one request, its answer included."""

_WORTH_ANOTHER_TRY = {408, 429}


class ReferenceError(Exception):
    """The reference vendor refused, could not be reached, or answered what nobody can read."""


class ReferenceApi:
    """Opens and ends sessions, as an async context manager; opening takes ``attempts`` tries."""

    def __init__(self, api_key: str, *, attempts: int = ATTEMPTS) -> None:
        self._api_key = api_key
        self._attempts = attempts
        self._http: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> ReferenceApi:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT))
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._http is not None:
            await self._http.close()

    async def open(self, *, url: str, token: str, identity: str) -> str:
        """Open a session in the room that ``token`` is for; returns its id."""
        body = {"livekit_url": url, "livekit_token": token, "identity": identity}
        for attempt in range(1, self._attempts + 1):
            try:
                return await self._open_once(body)
            except _TryAgain as error:
                if attempt == self._attempts:
                    raise ReferenceError(f"reference: no session: {error}") from error
            await asyncio.sleep(PAUSE)
        raise ReferenceError("reference: no session: no attempt was made")

    async def end(self, session_id: str) -> None:
        """End a session; raises `ReferenceError` when the vendor does not confirm."""
        for attempt in range(1, ENDING_ATTEMPTS + 1):
            try:
                await self._end_once(session_id)
                return
            except _TryAgain as error:
                if attempt == ENDING_ATTEMPTS:
                    raise ReferenceError(f"reference: ending failed: {error}") from error
            await asyncio.sleep(PAUSE)

    async def _end_once(self, session_id: str) -> None:
        try:
            async with self._request("DELETE", f"/v1/sessions/{session_id}") as response:
                status = response.status
                if status in _WORTH_ANOTHER_TRY or status >= 500:
                    raise _TryAgain(f"status {status}")
                if status >= 400 and status != 404:
                    raise ReferenceError(f"reference: ending failed: status {status}")
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            raise _TryAgain(f"network: {type(error).__name__}") from error

    async def _open_once(self, body: dict[str, Any]) -> str:
        try:
            async with self._request("POST", "/v1/sessions", json=body) as response:
                status = response.status
                if status in _WORTH_ANOTHER_TRY or status >= 500:
                    raise _TryAgain(f"status {status}")
                if status >= 300:
                    raise ReferenceError(f"reference: no session: status {status}")
                try:
                    answer = await response.json()
                except (ValueError, aiohttp.ContentTypeError):
                    raise ReferenceError("reference: the answer is not JSON") from None
        except (aiohttp.ClientConnectionError, asyncio.TimeoutError) as error:
            raise _TryAgain(f"network: {type(error).__name__}") from error
        except aiohttp.ClientError as error:
            raise ReferenceError(f"reference: no answer: {type(error).__name__}") from error
        session_id = answer.get("session_id") if isinstance(answer, dict) else None
        if not isinstance(session_id, str):
            raise ReferenceError("reference: the answer has no session_id")
        return session_id

    def _request(self, method: str, path: str, **options: Any) -> Any:
        assert self._http is not None
        return self._http.request(
            method,
            f"{BASE_URL}{path}",
            headers={"Authorization": f"Bearer {self._api_key}"},
            allow_redirects=False,
            **options,
        )


class _TryAgain(Exception):
    """This attempt failed, and the next one may not."""
