"""The room's server: verifies tokens, connects participants, and tells the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import jwt
from livekit import api, rtc
from livekit.api.access_token import Claims

from conformance.plugin.room import Clock, Credentials
from conformance.results.timeline import Timeline
from conformance.stage.faults import Fault, FaultKind

from . import protobuf as messages
from . import tracks as media
from .client import RoomClient
from .connection import Link, Published, ServerRoom
from .ids import Ids
from .room import CLIENT_PROTOCOL, LoopbackRoom
from .tracks import HeardTrack, LoopbackLocalTrackPublication, LoopbackTrack, LoopbackVideoSource

LOST_AFTER = 15.0
"""Seconds until a participant whose connection was cut for good is given up, on both sides."""

JOINING = 0.15
"""Seconds that joining takes on a real server, at the least. It is spent here by one whose identity
is in the room already: what is sent to that identity meanwhile is lost with the one before it."""

API_FAULTS: tuple[FaultKind, ...] = (
    "status",
    "refused",
    "reset-before-answer",
    "reset-inside-answer",
    "never-answers",
    "answers-slowly",
    "not-json",
    "wrong-content-type",
    "redirect-to-undeclared-host",
)
"""The faults that the room API can show."""

Reason = rtc.DisconnectReason
State = rtc.ConnectionState


class LoopbackServer:
    """A LiveKit server as far as participants can see; ``latency`` is one hop in seconds."""

    def __init__(
        self, *, clock: Clock, timeline: Timeline, credentials: Credentials, latency: float = 0.0
    ) -> None:
        self.clock = clock
        self.timeline = timeline
        self.latency = latency
        self.ids = Ids()
        self.fault: Fault | None = None
        self._credentials = credentials
        self._rooms: dict[str, ServerRoom] = {}
        self._removals: list[str] = []
        self._tracks: list[tuple[str, str, LoopbackTrack]] = []
        self._timers: set[asyncio.TimerHandle] = set()

    @property
    def credentials(self) -> Credentials:
        """The key and secret that tokens are minted with."""
        return self._credentials

    @property
    def rooms(self) -> Mapping[str, ServerRoom]:
        """The rooms by name."""
        return self._rooms

    async def join(
        self, token: str, *, url: str | None = None, client_protocol: int = CLIENT_PROTOCOL
    ) -> rtc.Room:
        """Connect a participant; raises `rtc.ConnectError` when the token is refused.

        ``client_protocol`` is what the participant's SDK says of itself; below 1 its calls are
        limited to 15 kB.
        """
        room = LoopbackRoom(self, client_protocol=client_protocol)
        await room.connect(url or self._credentials.url, token)
        return room

    async def publish_video(self, room: rtc.Room) -> None:
        """Publish a camera track as the participant in ``room``."""
        track = media.LoopbackLocalVideoTrack.create_video_track(
            "avatar_video", LoopbackVideoSource(1280, 720)
        )
        options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_CAMERA)
        await room.local_participant.publish_track(track, options)

    def participants(self, room_name: str) -> Mapping[str, Mapping[str, str]]:
        """The identities now in the room, each with its attributes."""
        room = self._rooms.get(room_name)
        links = room.links.values() if room is not None else ()
        return {link.identity: dict(link.info.attributes) for link in links}

    def removals(self) -> Sequence[str]:
        """The identities that were asked to be removed through the room API, in order."""
        return tuple(self._removals)

    def fail_api(self, fault: Fault | None) -> None:
        """Make every later call of the room API show this fault; None mends it.

        Raises `ValueError` for a fault that an API of protobuf messages cannot show.
        """
        if fault is not None and fault.kind not in API_FAULTS:
            raise ValueError(
                f"the room API cannot show {fault.kind!r}: choose one of {', '.join(API_FAULTS)}"
            )
        self.fault = fault

    def heard(self, room_name: str, identity: str) -> Sequence[HeardTrack]:
        """The audio played by now on each track that a participant ever published here."""
        tracks = [t for room, who, t in self._tracks if (room, who) == (room_name, identity)]
        return media.heard(identity, tracks)

    async def drop(self, room: rtc.Room, *, seconds: float | None = None) -> None:
        """Cut a participant's connection.

        After ``seconds`` it resumes with nothing lost; with None both sides give it up after
        `LOST_AFTER` seconds.
        """
        link = _loopback(room).link
        if not link.open:
            raise ValueError(f"{link.identity} is not connected: it cannot be dropped")
        self._record("dropped", link.identity)
        link.cut()
        link.client.on_connection_state_changed(State.CONN_RECONNECTING)
        if seconds is None:
            self._later(LOST_AFTER, lambda: self.remove(link, Reason.UNKNOWN_REASON))
        else:
            self._later(seconds, lambda: self._resume(link))

    async def aclose(self) -> None:
        """Disconnect everybody without a word to the others."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        for server_room in list(self._rooms.values()):
            for link in list(server_room.links.values()):
                link.open = False
                await link.client.stop_answering()
                link.mailbox.close()
                link.client.lost(Reason.SERVER_SHUTDOWN)
            server_room.links.clear()
        self._rooms.clear()
        await asyncio.sleep(0)

    async def approach(self, url: str, token: str) -> None:
        """Simulate the join latency; raises `rtc.ConnectError` for an invalid token."""
        claims = self._verify(url, token)
        assert claims.video is not None
        room = self._rooms.get(claims.video.room)
        if room is not None and claims.identity in room.links:
            await asyncio.sleep(JOINING)

    def admit(
        self, client: RoomClient, url: str, token: str, *, auto_subscribe: bool
    ) -> tuple[Link, Sequence[Link]]:
        """Connect a participant; returns its link and those of the others that it can see."""
        claims = self._verify(url, token)
        assert claims.video is not None
        server_room = self.open_room(claims.video.room)
        before = server_room.links.get(claims.identity)
        if before is not None:
            self._record("evicted", claims.identity)
            self.remove(before, Reason.DUPLICATE_IDENTITY, told_to_others=Reason.UNKNOWN_REASON)
        info = messages.participant(
            claims, self.ids.participant(), time.time(), client.client_protocol
        )
        link = Link(server_room, client, info, latency=self.latency)
        link.auto_subscribe = auto_subscribe
        server_room.links[link.identity] = link
        self._record("joined", link.identity)
        return link, [other for other in server_room.others(link) if not other.hidden]

    def open_room(self, name: str) -> ServerRoom:
        """The room of that name, made if there is none."""
        if name not in self._rooms:
            self._rooms[name] = ServerRoom(name, self.ids.room(), int(time.time() * 1000))
        return self._rooms[name]

    def activate(self, link: Link) -> None:
        """Mark a participant as ready: data and tracks can reach it."""
        if not link.open:
            return
        link.active = True
        link.info.state = rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE
        others = link.server_room.others(link)
        copy = _copy(link.info)
        if not link.hidden:
            link.server_room.tell(others, lambda room: room.on_participant_joined(copy))
        for other in others:
            for sid in other.published:
                if link.auto_subscribe:
                    self.subscribe(link, other.identity, sid, True)

    def leave(self, link: Link, reason: int) -> None:
        """Take a participant off the room and tell the others; it is not told itself."""
        if not link.open:
            return
        link.open = False
        link.mailbox.close()
        if link.server_room.links.get(link.identity) is link:
            del link.server_room.links[link.identity]
        self._record("left", link.identity, reason=Reason.Name(Reason.ValueType(reason)))
        identity = link.identity
        if link.active and not link.hidden:
            others = link.server_room.others(link)
            link.server_room.tell(others, lambda room: room.on_participant_left(identity, reason))

    def remove(self, link: Link, reason: int, *, told_to_others: int | None = None) -> None:
        """Take a participant off the room; it is told, and so are the others."""
        if not link.open:
            return
        self.leave(link, reason if told_to_others is None else told_to_others)
        client = link.client
        asyncio.get_running_loop().call_soon(
            lambda: client.lost(reason), context=link.mailbox.context
        )

    def remove_participant(self, room_name: str, identity: str) -> bool:
        """Remove as the room API does; false when there is no such participant."""
        self._removals.append(identity)
        room = self._rooms.get(room_name)
        link = room.links.get(identity) if room is not None else None
        self._record("remove", identity, found=link is not None)
        if link is None:
            return False
        self.remove(link, Reason.PARTICIPANT_REMOVED)
        return True

    def delete_room(self, room_name: str) -> bool:
        """Remove everybody and the room; false when there is none."""
        room = self._rooms.pop(room_name, None)
        if room is None:
            return False
        for link in list(room.links.values()):
            self.remove(link, Reason.ROOM_DELETED)
        return True

    def update(
        self,
        link: Link,
        *,
        attributes: Mapping[str, str] | None = None,
        metadata: str | None = None,
        name: str | None = None,
        permitted: bool = False,
    ) -> bool:
        """Change what a participant says of itself; false where its token does not permit it."""
        if not (permitted or link.info.permission.can_update_metadata):
            self._record("update-refused", link.identity)
            return False
        for key, value in (attributes or {}).items():
            if value:
                link.info.attributes[key] = value
            elif key in link.info.attributes:
                del link.info.attributes[key]
        if metadata is not None:
            link.info.metadata = metadata
        if name is not None:
            link.info.name = name
        copy = _copy(link.info)
        everybody = list(link.server_room.links.values())
        told = [link] if link.hidden else everybody
        link.server_room.tell(told, lambda room: room.on_participant_updated(copy))
        return True

    def publish(
        self, link: Link, track: LoopbackTrack, options: rtc.TrackPublishOptions | None
    ) -> LoopbackLocalTrackPublication:
        """Publish a track; raises `rtc.participant.PublishTrackError`."""
        source = options.source if options is not None else rtc.TrackSource.SOURCE_UNKNOWN
        permission = link.info.permission
        allowed = permission.can_publish and (
            not permission.can_publish_sources or source in permission.can_publish_sources
        )
        if not link.open:
            raise rtc.participant.PublishTrackError("engine: connection error: not connected")
        if not allowed:
            raise rtc.participant.PublishTrackError(
                "engine: internal error: insufficient permissions to publish"
            )
        sid = self.ids.track()
        track.published_as(sid)
        info = messages.publication(sid, track.name, track.kind, source)
        publication = LoopbackLocalTrackPublication(info, track)
        link.published[sid] = Published(info, track)
        link.client.own_publications[sid] = publication
        self._tracks.append((link.server_room.name, link.identity, track))
        media_kind = "video" if track.kind == rtc.TrackKind.KIND_VIDEO else "audio"
        self._record("published", link.identity, media=media_kind)
        link.post(lambda room: room.on_local_track_published(sid))
        identity = link.identity
        if not link.hidden:
            others = link.server_room.others(link)
            link.server_room.tell(others, lambda room: room.on_track_published(identity, info))
            for other in others:
                if other.active and other.auto_subscribe:
                    self.subscribe(other, identity, sid, True)
        return publication

    def unpublish(self, link: Link, sid: str) -> None:
        """Withdraw a track; raises `rtc.participant.UnpublishTrackError` for an unknown one."""
        if link.published.pop(sid, None) is None:
            raise rtc.participant.UnpublishTrackError("publication not found")
        publication = link.client.own_publications.pop(sid)
        self._record("unpublished", link.identity)
        link.post(lambda room: room.on_local_track_unpublished(publication))
        identity = link.identity
        others = link.server_room.others(link)
        link.server_room.tell(others, lambda room: room.on_track_unpublished(identity, sid))

    def subscribe(self, link: Link, identity: str, sid: str, wanted: bool) -> None:
        """Subscribe a participant to a track, where its token permits it, or unsubscribe it."""
        publisher = link.server_room.links.get(identity)
        published = publisher.published.get(sid) if publisher is not None else None
        if publisher is None or published is None or not link.info.permission.can_subscribe:
            return
        track = published.track if wanted else None
        link.post(lambda room: room.on_track_subscription(identity, sid, track))
        if wanted:
            published.subscribers.add(link.identity)
            if len(published.subscribers) == 1:
                publisher.post(lambda room: room.on_local_track_subscribed(sid))
        else:
            published.subscribers.discard(link.identity)

    def _verify(self, url: str, token: str) -> Claims:
        if _address(url) != _address(self._credentials.url):
            raise rtc.ConnectError(
                f"engine: signal failure: there is no LiveKit server at {url!r}"
                f" (this one is {self._credentials.url})"
            )
        verifier = api.TokenVerifier(self._credentials.api_key, self._credentials.api_secret)
        try:
            claims = verifier.verify(token)
        except jwt.PyJWTError as error:
            raise _refused("401 Unauthorized", f"invalid token: {error}") from None
        if claims.video is None or not claims.video.room_join:
            raise _refused("401 Unauthorized", "permissions denied: no roomJoin grant")
        if not claims.video.room:
            raise _refused("400 Bad Request", "no room name")
        if not claims.identity:
            raise _refused("400 Bad Request", "identity cannot be empty")
        return claims

    def _resume(self, link: Link) -> None:
        if link.open:
            self._record("resumed", link.identity)
            link.client.on_connection_state_changed(State.CONN_CONNECTED)
            link.resume()

    def _later(self, seconds: float, function: Any) -> None:
        def fire() -> None:
            self._timers.discard(timer)
            function()

        timer = asyncio.get_running_loop().call_later(seconds, fire)
        self._timers.add(timer)

    def _record(self, kind: str, identity: str, **detail: str | bool) -> None:
        self.timeline.record("room", kind, identity, **detail)


def _loopback(room: rtc.Room) -> LoopbackRoom:
    if not isinstance(room, LoopbackRoom):
        raise TypeError(f"{room!r} is not a room of this stage: join with server.join(token)")
    return room


def _refused(status: str, why: str) -> rtc.ConnectError:
    return rtc.ConnectError(f"engine: signal failure: client error: {status} - {why}")


def _address(url: str) -> tuple[str | None, int | None]:
    parts = urlsplit(url)
    return parts.hostname, parts.port


def _copy(message: Any) -> Any:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy
