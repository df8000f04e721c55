"""One remote procedure call: what is asked, what is waited for, and the SDK's own errors."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from livekit import rtc

Code = rtc.RpcError.ErrorCode


@dataclass(frozen=True)
class Call:
    """An outgoing call; times in seconds, None for the SDK's default."""

    destination_identity: str
    method: str
    payload: str
    response_timeout: float | None = None
    max_round_trip_latency: float | None = None


@dataclass(frozen=True)
class Request:
    """A call on its way to the participant that answers it."""

    id: str
    caller: str
    method: str
    payload: str
    timeout: float
    limited: bool


class Pending:
    """A call in flight: its acknowledgement, then its answer."""

    def __init__(self, destination: str) -> None:
        self.destination = destination
        loop = asyncio.get_running_loop()
        self.acknowledged: asyncio.Future[None] = loop.create_future()
        self.answered: asyncio.Future[str | rtc.RpcError] = loop.create_future()

    def acknowledge(self) -> None:
        """The destination has received the call."""
        if not self.acknowledged.done():
            self.acknowledged.set_result(None)

    def answer(self, result: str | rtc.RpcError) -> None:
        """The destination has answered."""
        if not self.answered.done():
            self.answered.set_result(result)


def built_in(code: rtc.RpcError.ErrorCode, data: str = "") -> rtc.RpcError:
    """One of the SDK's own errors, with its message."""
    return rtc.RpcError(code, rtc.RpcError.ErrorMessage[code], data)
