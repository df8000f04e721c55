"""The real server, as the suite sees a room's server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from livekit import api, rtc

from conformance.host.late_job import LateJob, job_to_come
from conformance.plugin.room import Credentials
from conformance.results.timeline import Timeline
from conformance.stage.faults import Fault
from conformance.stage.interface import StageLost

from .loop import RealTimeLoop
from .proxy import Gateway
from .test_video import Wave

CONNECT_TIMEOUT = 15.0
CLOSE_TIMEOUT = 5.0


class RealServer:
    """A LiveKit server, reached through a gateway of our own.

    :meth:`participants` knows those who joined through :meth:`join`, which on a stage is everybody.
    """

    def __init__(self, credentials: Credentials, timeline: Timeline) -> None:
        self._behind = credentials
        self._credentials = credentials
        self._timeline = timeline
        self._removals: list[str] = []
        self._rooms: list[rtc.Room] = []
        self._tokens: dict[int, str] = {}
        self._jobs: dict[int, LateJob] = {}
        self._waves: list[Wave] = []
        self._timers: list[asyncio.TimerHandle] = []
        self._abandoned: list[asyncio.Future[None]] = []
        self.gateway = Gateway(credentials.url, removed=self._note_removal, failed=self._note_fault)

    async def open(self) -> None:
        """Open the gateway; raises `StageLost` when the server does not answer."""
        loop = asyncio.get_running_loop()
        if isinstance(loop, RealTimeLoop):
            loop.let_through([self.gateway.target])
        if not await self.gateway.reachable():
            raise StageLost(f"the LiveKit server at {self._behind.url} does not answer")
        host, port = await self.gateway.open()
        if isinstance(loop, RealTimeLoop):
            loop.let_through([(host, port)])
        self._credentials = replace(self._behind, url=f"ws://{host}:{port}")

    @property
    def credentials(self) -> Credentials:
        """What tokens are minted with; the URL is the gateway's."""
        return self._credentials

    @property
    def public_credentials(self) -> Credentials:
        """The server's own, for whoever connects from elsewhere: the URL is no gateway's."""
        return self._behind

    async def join(self, token: str, *, url: str | None = None) -> rtc.Room:
        """Connect a participant; raises `rtc.ConnectError` when the token is refused."""
        room = rtc.Room()
        self._listen(room)
        with job_to_come() as job:
            connecting = asyncio.ensure_future(_connect(room, url or self._credentials.url, token))
        try:
            await asyncio.wait_for(asyncio.shield(connecting), CONNECT_TIMEOUT)
        except asyncio.CancelledError:
            self._abandoned.append(asyncio.ensure_future(_abandon(room, connecting)))
            raise
        except asyncio.TimeoutError:
            self._abandoned.append(asyncio.ensure_future(_abandon(room, connecting)))
            raise rtc.ConnectError(
                f"no connection to the LiveKit server within {CONNECT_TIMEOUT:g} s"
            ) from None
        self._rooms.append(room)
        self._tokens[id(room)] = token
        self._jobs[id(room)] = job
        self._timeline.record("room", "joined", room.local_participant.identity)
        return room

    def token_of(self, room: rtc.Room) -> str:
        """The token that a room was joined with."""
        return self._tokens[id(room)]

    def late_job_of(self, room: rtc.Room) -> LateJob:
        """The job that a room's listeners find once it has begun."""
        return self._jobs[id(room)]

    async def publish_video(self, room: rtc.Room) -> None:
        """Publish a camera track that shows a running wave."""
        wave = Wave()
        self._waves.append(wave)
        await wave.publish(room)

    def participants(self, room_name: str) -> Mapping[str, Mapping[str, str]]:
        """The identities now in the room, each with its attributes."""
        return {
            room.local_participant.identity: dict(room.local_participant.attributes)
            for room in self._rooms
            if room.name == room_name and room.isconnected()
        }

    def removals(self) -> Sequence[str]:
        """The identities that were asked to be removed through the room API, in order."""
        return tuple(self._removals)

    def fail_api(self, fault: Fault | None) -> None:
        """Make every later call of the room API show this fault; None mends it."""
        self.gateway.fault = fault

    async def drop(self, room: rtc.Room, *, seconds: float | None = None) -> None:
        """Cut a participant's signalling connection.

        After ``seconds`` it can connect again; with None the SDK gives up when its attempts are
        used up, 8 to 21 s later.
        """
        identity = room.local_participant.identity
        self._timeline.record("room", "dropped", identity)
        self.gateway.cut(identity)
        if seconds is not None:
            loop = asyncio.get_running_loop()
            self._timers.append(loop.call_later(seconds, self.gateway.mend, identity))

    async def aclose(self) -> None:
        """Disconnect everybody, delete the rooms, close the gateway; takes bounded time."""
        self.gateway.fault = None
        for timer in self._timers:
            timer.cancel()
        if self._abandoned:
            await asyncio.wait(self._abandoned, timeout=CONNECT_TIMEOUT)
        names = {room.name for room in self._rooms}
        closing = [
            *(room.disconnect() for room in self._rooms),
            *(wave.aclose() for wave in self._waves),
        ]
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.gather(*closing, return_exceptions=True), CLOSE_TIMEOUT)
        if names and await self.gateway.reachable():
            await self._delete(names)
        await self.gateway.aclose()

    async def _delete(self, names: set[str]) -> None:
        # The next check's rooms have the same names and must not find anybody in them.
        async with api.LiveKitAPI(
            self._credentials.url, self._credentials.api_key, self._credentials.api_secret
        ) as room_api:
            for name in names:
                with contextlib.suppress(api.TwirpError, OSError, asyncio.TimeoutError):
                    await asyncio.wait_for(
                        room_api.room.delete_room(api.DeleteRoomRequest(room=name)), CLOSE_TIMEOUT
                    )

    def _note_removal(self, identity: str) -> None:
        self._timeline.record("room", "remove", identity)
        self._removals.append(identity)

    def _note_fault(self, fault: Fault) -> None:
        self._timeline.record("room", "fault", "room API", what=str(fault))

    def _listen(self, room: rtc.Room) -> None:
        def lost(reason: rtc.DisconnectReason.ValueType) -> None:
            self._timeline.record(
                "room",
                "left",
                room.local_participant.identity,
                reason=rtc.DisconnectReason.Name(reason),
            )

        room.on("disconnected", lost)


async def _connect(room: rtc.Room, url: str, token: str) -> None:
    """A task of the kit's own, so that no check takes it for something that a plugin left."""
    await room.connect(url, token)


async def _abandon(room: rtc.Room, connecting: asyncio.Future[None]) -> None:
    """Let a connection come about that nobody waits for any more, and end it.

    Cancelled half-way, it makes the SDK terminate the whole process some seconds later.
    """
    with contextlib.suppress(rtc.ConnectError):
        await connecting
        await room.disconnect()
