"""Which tokens the server refuses, and in which words."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import jwt
from livekit import api, rtc

from .probe import Surroundings, probe

UNAUTHORIZED = "engine: signal failure: client error: 401 Unauthorized - "
BAD_REQUEST = "engine: signal failure: client error: 400 Bad Request - "
INVALID = f"{UNAUTHORIZED}invalid token: <the whole token>, error: "
OWN_WORDS = "the same refusal in words of its own, without the token: nothing reads them"


async def _refusal(around: Surroundings, token: str) -> Sequence[str]:
    try:
        await around.server.join(token)
    except rtc.ConnectError as error:
        return [str(error.message).replace(token, "<the whole token>") if token else error.message]
    return ["accepted"]


def _changed(around: Surroundings, **claims: Any) -> str:
    credentials = around.server.credentials
    plain = jwt.decode(around.token("worker"), options={"verify_signature": False})
    kept = {key: value for key, value in {**plain, **claims}.items() if value is not None}
    return jwt.encode(kept, credentials.api_secret, algorithm="HS256")


@probe(
    "tokens",
    "Signed with another secret?",
    f"{INVALID}token signature is invalid: signature is invalid",
    loopback=[f"{UNAUTHORIZED}..."],
    why=OWN_WORDS,
)
async def _wrong_signature(around: Surroundings) -> Sequence[str]:
    return await _refusal(around, around.token("worker", secret="x" * 32))


@probe(
    "tokens",
    "Of a key that the server does not know?",
    f"{UNAUTHORIZED}invalid API key: other",
    loopback=[f"{UNAUTHORIZED}..."],
    why=OWN_WORDS,
)
async def _unknown_key(around: Surroundings) -> Sequence[str]:
    return await _refusal(around, around.token("worker", key="other"))


@probe(
    "tokens",
    "Expired an hour ago?",
    f"{INVALID}token has invalid claims: token is expired",
    loopback=[f"{UNAUTHORIZED}..."],
    why=OWN_WORDS,
)
async def _expired(around: Surroundings) -> Sequence[str]:
    now = int(time.time())
    return await _refusal(around, _changed(around, nbf=now - 7200, exp=now - 3600))


@probe("tokens", "Expired half a minute ago?", "accepted")
async def _just_expired(around: Surroundings) -> Sequence[str]:
    now = int(time.time())
    return await _refusal(around, _changed(around, nbf=now - 7200, exp=now - 30))


@probe(
    "tokens",
    "Not valid before an hour from now?",
    f"{INVALID}token has invalid claims: token is not valid yet",
    loopback=[f"{UNAUTHORIZED}..."],
    why=OWN_WORDS,
)
async def _not_yet(around: Surroundings) -> Sequence[str]:
    now = int(time.time())
    return await _refusal(around, _changed(around, nbf=now + 3600, exp=now + 7200))


@probe(
    "tokens",
    "Without roomJoin?",
    f"{UNAUTHORIZED}permissions denied",
    loopback=[f"{UNAUTHORIZED}..."],
    why=OWN_WORDS,
)
async def _no_room_join(around: Surroundings) -> Sequence[str]:
    grants = api.VideoGrants(room=around.room_name)
    return await _refusal(around, around.token("worker", grants=grants))


@probe("tokens", "Without an identity?", f"{BAD_REQUEST}identity cannot be empty")
async def _no_identity(around: Surroundings) -> Sequence[str]:
    return await _refusal(around, _changed(around, sub=None))


@probe("tokens", "With roomJoin and without a room?", f"{BAD_REQUEST}no room name")
async def _no_room(around: Surroundings) -> Sequence[str]:
    return await _refusal(around, _changed(around, video={"roomJoin": True}))


@probe(
    "tokens",
    "Something that is no token?",
    f"{UNAUTHORIZED}invalid authorization token",
    loopback=[f"{UNAUTHORIZED}..."],
    why=OWN_WORDS,
)
async def _no_token(around: Surroundings) -> Sequence[str]:
    return await _refusal(around, "abc")
