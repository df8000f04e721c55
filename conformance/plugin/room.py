"""The room as a worker sees it: a clock, and a server to join and to publish video on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from livekit import rtc


@dataclass(frozen=True)
class Credentials:
    """How to reach the room's server: the URL, and an API key and secret that mint tokens."""

    url: str
    api_key: str
    api_secret: str


class Clock(Protocol):
    """The time that every part of a check runs on."""

    @property
    def virtual(self) -> bool:
        """Whether time jumps when nothing is left to do."""

    def now(self) -> float:
        """Seconds since the stage was opened."""

    async def sleep(self, seconds: float) -> None:
        """Wait for that long by this clock."""


class RoomServer(Protocol):
    """The part of the room's server that a worker uses."""

    async def join(self, token: str, *, url: str | None = None) -> rtc.Room:
        """Connect a participant; raises `rtc.ConnectError` when the token is refused."""

    async def publish_video(self, room: rtc.Room) -> None:
        """Publish a video track as the participant in ``room``."""
