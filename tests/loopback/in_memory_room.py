"""A scenario in the in-memory room, and tokens for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from livekit import api, rtc

from conformance.loopback.room import tracks as media
from conformance.loopback.room.server import LoopbackServer
from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual
from conformance.plugin.room import Credentials
from conformance.results.timeline import Timeline

T = TypeVar("T")
CREDENTIALS = Credentials(
    "wss://conformance.livekit.test", "key", "a-secret-of-at-least-32-bytes-for-it"
)
EVENTS = (
    "participant_connected",
    "participant_active",
    "participant_disconnected",
    "track_published",
    "track_unpublished",
    "track_subscribed",
    "track_unsubscribed",
    "local_track_published",
    "local_track_unpublished",
    "local_track_subscribed",
    "participant_attributes_changed",
    "connection_state_changed",
    "reconnecting",
    "reconnected",
    "disconnected",
)


def mint(identity: str, *, room: str = "demo", ttl: float = 3600, **grants: Any) -> str:
    """A token as an application mints it."""
    return (
        api.AccessToken(CREDENTIALS.api_key, CREDENTIALS.api_secret)
        .with_identity(identity)
        .with_ttl(timedelta(seconds=ttl))
        .with_grants(api.VideoGrants(**{"room_join": True, "room": room, **grants}))
        .to_jwt()
    )


def play(scenario: Callable[[LoopbackServer], Awaitable[T]], *, latency: float = 0.0) -> T:
    """Run a scenario with a server of its own, in virtual time."""

    async def main(clock: VirtualClock) -> T:
        server = LoopbackServer(
            clock=clock, timeline=Timeline(clock.now), credentials=CREDENTIALS, latency=latency
        )
        with media.stand_ins():
            try:
                return await scenario(server)
            finally:
                await server.aclose()

    return run_virtual(main)


def listen(room: rtc.Room) -> list[str]:
    """The names of the room's events from now on, as they come."""
    heard: list[str] = []
    for event in EVENTS:
        room.on(event, lambda *_, event=event: heard.append(event))  # type: ignore[misc]
    return heard
