"""A question to a server, and what a participant can see of the answer."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, Literal, get_args

from livekit import api, rtc

from conformance.plugin.room import Clock
from conformance.stage.interface import Server

Topic = Literal["joining", "leaving", "same identity", "tokens", "calls", "streams", "reconnecting"]
Observation = Callable[["Surroundings"], Awaitable[Sequence[str]]]

TOPICS: tuple[Topic, ...] = get_args(Topic)
TICK = 3.0
"""How often the server tells a room about participants that publish nothing, in seconds."""
EVENTS = (
    "participant_connected",
    "participant_active",
    "participant_disconnected",
    "participant_attributes_changed",
    "track_published",
    "track_unpublished",
    "track_subscribed",
    "track_unsubscribed",
    "local_track_published",
    "local_track_unpublished",
    "local_track_republished",
    "connection_state_changed",
    "disconnected",
    "reconnecting",
    "reconnected",
)
_STEP = 0.01


@dataclass(frozen=True)
class Probe:
    """One question; ``observe`` finds the answer, ``real`` is the one a real server gave.

    ``loopback`` is what the loopback stage answers instead, where that is known and harmless, and
    ``why`` says why it is left so; a line of it that ends with ``...`` stands for any end.
    """

    name: str
    topic: Topic
    question: str
    observe: Observation
    real: tuple[str, ...]
    loopback: tuple[str, ...] | None = None
    why: str = ""
    only_real: bool = False

    def expects_of_loopback(self, answer: Sequence[str]) -> bool:
        """Whether ``answer`` is the one that the loopback stage is known to give."""
        expected = self.real if self.loopback is None else self.loopback
        return len(expected) == len(answer) and all(
            given.startswith(line[:-3]) if line.endswith("...") else given == line
            for line, given in zip(expected, answer, strict=True)
        )


_PROBES: list[Probe] = []


def probe(
    topic: Topic,
    question: str,
    *real: str,
    loopback: Sequence[str] | None = None,
    why: str = "",
    only_real: bool = False,
) -> Callable[[Observation], Observation]:
    """Declare the decorated coroutine function as the probe for ``question``."""

    def declare(function: Observation) -> Observation:
        name = getattr(function, "__name__", "").strip("_").replace("_", "-")
        other = None if loopback is None else tuple(loopback)
        _PROBES.append(Probe(name, topic, question, function, real, other, why, only_real))
        return function

    return declare


def all_probes() -> tuple[Probe, ...]:
    """Every probe, by topic."""
    from . import calls, joining, leaving, reconnecting, streams, tokens

    assert all((calls, joining, leaving, reconnecting, streams, tokens))
    return tuple(sorted(_PROBES, key=lambda each: TOPICS.index(each.topic)))


class Watched:
    """A participant whose room events are written down, in words, in the order they came."""

    def __init__(self, room: rtc.Room, clock: Clock) -> None:
        self.room = room
        self._clock = clock
        self.seen: list[str] = []
        self.times: list[float] = []
        for event in EVENTS:
            room.on(event, partial(self._note, event))  # type: ignore[arg-type]

    def forget(self) -> None:
        """Start a fresh list."""
        self.seen.clear()
        self.times.clear()

    async def until(self, what: str, *, within: float = 10.0) -> bool:
        """Wait for an event whose words start with ``what``."""
        return await until(
            self._clock, lambda: any(each.startswith(what) for each in self.seen), within
        )

    def _note(self, event: str, *arguments: Any) -> None:
        self.times.append(self._clock.now())
        self.seen.append(" ".join([event, *filter(None, map(_words, arguments))]))


async def until(clock: Clock, condition: Callable[[], bool], within: float) -> bool:
    """Wait until ``condition`` holds; false when it does not within so many seconds."""
    deadline = clock.now() + within
    while not condition():
        if clock.now() >= deadline:
            return False
        await clock.sleep(_STEP)
    return True


@dataclass
class Surroundings:
    """What a probe works with: a server, a clock, and participants to be made."""

    server: Server
    clock: Clock
    room_name: str = "behaviour"
    _numbers: Iterable[int] = field(default_factory=itertools.count)

    def token(
        self,
        identity: str,
        *,
        kind: Literal["standard", "agent"] = "standard",
        attributes: Mapping[str, str] | None = None,
        grants: api.VideoGrants | None = None,
        key: str | None = None,
        secret: str | None = None,
        ttl: timedelta | None = None,
    ) -> str:
        """Mint a token for the probe's room, or one with a defect."""
        credentials = self.server.credentials
        token = (
            api.AccessToken(key or credentials.api_key, secret or credentials.api_secret)
            .with_identity(identity)
            .with_kind(kind)
            .with_ttl(ttl or timedelta(hours=1))
            .with_grants(grants or api.VideoGrants(room_join=True, room=self.room_name))
        )
        return (token.with_attributes(dict(attributes)) if attributes else token).to_jwt()

    async def join(self, identity: str, **options: Any) -> Watched:
        """Let a participant join. What its own room emits while connecting is left out."""
        room = await self.server.join(self.token(identity, **options))
        await self.clock.sleep(0.1)
        return Watched(room, self.clock)

    async def publisher(self, identity: str, *audience: Watched) -> Watched:
        """Let a participant join and publish video, until ``audience`` receives it."""
        watched = await self.join(identity)
        await self.server.publish_video(watched.room)
        for each in audience:
            await each.until(f"track_subscribed video {identity}")
        watched.forget()
        for each in audience:
            each.forget()
        return watched

    def room_api(self) -> api.LiveKitAPI:
        """The room API of the server, to be used with ``async with``."""
        credentials = self.server.credentials
        return api.LiveKitAPI(credentials.url, credentials.api_key, credentials.api_secret)

    async def remove(self, identity: str, *, room: str | None = None) -> None:
        """Remove a participant through the room API; raises `TwirpError`."""
        async with self.room_api() as room_api:
            await room_api.room.remove_participant(
                api.RoomParticipantIdentity(room=room or self.room_name, identity=identity)
            )


def about(seconds: float) -> str:
    """A duration in words that are the same in every run."""
    if seconds < 0.7:
        return "at once"
    if seconds <= TICK + 0.3:
        return "within a tick"
    return f"after {round(seconds)} s"


def _words(argument: Any) -> str:
    if isinstance(argument, rtc.RemoteParticipant):
        return argument.identity
    if isinstance(argument, rtc.TrackPublication):
        return "video" if argument.kind == rtc.TrackKind.KIND_VIDEO else "audio"
    return ""


def reason_of(participant: rtc.Participant) -> str:
    """Why a participant left, by name."""
    reason = participant.disconnect_reason
    return "UNKNOWN_REASON" if reason is None else rtc.DisconnectReason.Name(reason)
