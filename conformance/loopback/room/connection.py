"""The server's side of a room: who is connected, and the ordered way to each of them."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from livekit import rtc

from conformance.host import publish_on_behalf_attribute
from conformance.results.timeline import Lane, Timeline

from .client import RoomClient
from .ids import Ids
from .tracks import LoopbackLocalTrackPublication, LoopbackTrack

Delivery = Callable[[RoomClient], None]


class DeliveryQueue:
    """Delivers to one participant: in order, later than the call that sent, in its own context.

    ``latency`` is in seconds. While it is held nothing is delivered and nothing is lost.
    """

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._waiting: deque[Callable[[], None]] = deque()
        self._held = False
        self._closed = False
        self.context = contextvars.copy_context()

    @property
    def held(self) -> bool:
        """Whether deliveries are being held back."""
        return self._held

    def post(self, deliver: Callable[[], None]) -> None:
        """Deliver after everything that was posted before."""
        if self._closed:
            return
        self._waiting.append(deliver)
        if not self._held:
            self._schedule()

    def hold(self) -> None:
        """Keep everything back until :meth:`release`."""
        self._held = True

    def release(self) -> None:
        """Deliver what was held back, in order, and go on."""
        self._held = False
        for _ in range(len(self._waiting)):
            self._schedule()

    def close(self) -> None:
        """Drop what has not been delivered; later posts are dropped too."""
        self._closed = True
        self._waiting.clear()

    def _schedule(self) -> None:
        loop = asyncio.get_running_loop()
        if self._latency:
            loop.call_later(self._latency, self._deliver, context=self.context)
        else:
            loop.call_soon(self._deliver, context=self.context)

    def _deliver(self) -> None:
        if self._waiting and not self._held:
            self._waiting.popleft()()


@dataclass
class Published:
    """A track that a participant has published; ``info`` is rtc's publication message."""

    info: Any
    track: LoopbackTrack
    subscribers: set[str] = field(default_factory=set)


class Link:
    """One participant's connection to a room.

    ``info`` is rtc's own participant message and the server's truth; every room that sees the
    participant has a copy. ``active`` turns true once it can receive data.
    """

    def __init__(
        self, server_room: ServerRoom, client: RoomClient, info: Any, *, latency: float
    ) -> None:
        self.server_room = server_room
        self.client = client
        self.info = info
        self.mailbox = DeliveryQueue(latency)
        self.published: dict[str, Published] = {}
        self.active = False
        self.open = True
        self.auto_subscribe = True
        self._outbox: list[Callable[[], None]] = []

    @property
    def identity(self) -> str:
        """The participant's identity."""
        return str(self.info.identity)

    @property
    def hidden(self) -> bool:
        """Whether the others cannot see it."""
        return bool(self.info.permission.hidden)

    @property
    def lane(self) -> Lane:
        """Where on the timeline its doings belong."""
        if publish_on_behalf_attribute() in self.info.attributes:
            return "worker"
        if self.info.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT:
            return "agent"
        return "room"

    def post(self, deliver: Delivery) -> None:
        """Deliver a message to this participant's room."""
        self.mailbox.post(lambda: deliver(self.client))

    def send(self, deliver: Delivery, destinations: Sequence[str] | None = None) -> None:
        """Send a data message to the given participants, or to all the others.

        As on a real server a message is dropped in silence where the sender may not publish data,
        and for destinations that are not in the room or not active yet. While the connection is
        cut it waits.
        """
        if self.mailbox.held:
            self._outbox.append(lambda: self.send(deliver, destinations))
            return
        if not self.open or not self.info.permission.can_publish_data:
            return
        for link in self.server_room.others(self):
            if link.active and (not destinations or link.identity in destinations):
                link.post(deliver)

    async def caught_up(self) -> None:
        """Wait until everything posted so far has been delivered; for ever if it never is."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.mailbox.post(lambda: None if done.done() else done.set_result(None))
        await done

    def cut(self) -> None:
        """Stop everything to and from this participant for now."""
        self.mailbox.hold()

    def resume(self) -> None:
        """Go on after :meth:`cut`, nothing lost."""
        self.mailbox.release()
        outbox, self._outbox = self._outbox, []
        for send in outbox:
            send()


class ServerRoom:
    """A room on the server."""

    def __init__(self, name: str, sid: str, creation_time: int) -> None:
        self.name = name
        self.sid = sid
        self.creation_time = creation_time
        self.metadata = ""
        self.links: dict[str, Link] = {}

    def others(self, link: Link) -> Sequence[Link]:
        """Every connection but this one."""
        return [other for other in self.links.values() if other is not link]

    def tell(self, links: Iterable[Link], deliver: Delivery) -> None:
        """Send a signal to each of them."""
        for link in links:
            link.post(deliver)


class Signalling(Protocol):
    """The server as a participant's room sees it."""

    ids: Ids
    timeline: Timeline

    async def approach(self, url: str, token: str) -> None:
        """Simulate the join latency; raises `rtc.ConnectError` for an invalid token."""

    def admit(
        self, client: RoomClient, url: str, token: str, *, auto_subscribe: bool
    ) -> tuple[Link, Sequence[Link]]:
        """Connect a participant; returns its link and those of the others that it can see."""

    def activate(self, link: Link) -> None:
        """Mark a participant as ready: data and tracks can reach it."""

    def leave(self, link: Link, reason: int) -> None:
        """Take a participant off the room and tell the others."""

    def update(
        self,
        link: Link,
        *,
        attributes: Mapping[str, str] | None = None,
        metadata: str | None = None,
        name: str | None = None,
    ) -> bool:
        """Change what a participant says of itself; false where its token does not permit it."""

    def publish(
        self, link: Link, track: LoopbackTrack, options: rtc.TrackPublishOptions | None
    ) -> LoopbackLocalTrackPublication:
        """Publish a track; raises `rtc.participant.PublishTrackError`."""

    def unpublish(self, link: Link, sid: str) -> None:
        """Withdraw a track; raises `rtc.participant.UnpublishTrackError` for an unknown one."""

    def subscribe(self, link: Link, identity: str, sid: str, wanted: bool) -> None:
        """Subscribe a participant to a track, where its token permits it, or unsubscribe it."""
