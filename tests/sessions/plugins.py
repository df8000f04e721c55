"""Small plugins, each of a vendor whose sessions begin, or end, in a way of their own."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping
from typing import Any, ClassVar

import aiohttp
from livekit import rtc

from conformance.plugin import (
    STRING,
    Call,
    DataMessage,
    MintedAccess,
    RoomAccess,
    RpcCall,
    Socket,
    SocketSession,
    VendorAPI,
    fields,
    hookimpl,
)
from conformance.reference import adapter as reference
from conformance.reference.api import PAUSE, TIMEOUT, ReferenceApi, ReferenceError
from tests.mutants.mutant import SoundAdapter
from tests.mutants.robust import SoundAvatar
from tests.mutants.socket_provider import (
    CONNECTS_WITHIN,
    SocketAdapter,
    SocketAvatar,
    SocketSink,
    SocketWorker,
    play,
)

AUDIO = "wss://api.reference.test/v1/audio"
KEY: Mapping[str, str] = {"Authorization": "Bearer {api_key}"}
ROOM = fields({"url": STRING, "token": STRING})


class SocketOnly(ReferenceApi):
    """A vendor without calls: a session is a socket, and over when that is closed."""

    def __init__(self, api_key: str, avatar: SocketOnlyAvatar, attempts: int) -> None:
        super().__init__(api_key, attempts=attempts)
        self._avatar = avatar

    async def open(self, *, url: str, token: str, identity: str) -> str:
        room = {"url": url, "token": token}
        for attempt in range(1, self._attempts + 1):
            try:
                await self._avatar.connect_for(room)
                return "socket"
            except aiohttp.WSServerHandshakeError as error:
                again = error.status in (408, 429) or error.status >= 500
                if not again or attempt == self._attempts:
                    raise ReferenceError(f"reference: no socket: status {error.status}") from error
            except (aiohttp.ClientError, asyncio.TimeoutError, TypeError, ValueError) as error:
                if attempt == self._attempts:
                    why = f"network: {type(error).__name__}"
                    raise ReferenceError(f"reference: no socket: {why}") from error
            await self._avatar.hang_up()
            await asyncio.sleep(PAUSE)
        raise ReferenceError("reference: no attempt was made")

    async def end(self, session_id: str) -> None:
        await self._avatar.hang_up()


class SocketOnlyAvatar(SocketAvatar):
    """Opens its session with a socket, and says in the first message which room it is for."""

    def _vendor(self) -> ReferenceApi:
        return SocketOnly(self._api_key, self, self._attempts)

    async def connect_for(self, room: Mapping[str, str]) -> None:
        """Open the socket, and wait until the vendor says that it is connected."""
        key = {"Authorization": f"Bearer {self._api_key}"}
        self._http = aiohttp.ClientSession()
        opening = self._http.ws_connect(AUDIO, headers={**key, **self.headers(room)})
        self._socket = await asyncio.wait_for(opening, TIMEOUT)
        for message in self.messages(room):
            await self._socket.send_json(message)
        await asyncio.wait_for(self._until_connected(self._socket), CONNECTS_WITHIN)
        self._listening = asyncio.ensure_future(self._listen(self._socket))

    async def hang_up(self) -> None:
        """Close the socket."""
        await self._hang_up()

    def headers(self, room: Mapping[str, str]) -> Mapping[str, str]:
        """What the request for the socket says of the room."""
        return {}

    def messages(self, room: Mapping[str, str]) -> list[Mapping[str, str]]:
        """What is said first."""
        return [room]


class FirstMessage(SocketAdapter):
    """The socket opens the session; its first message has the room's URL and token."""

    avatar = SocketOnlyAvatar
    manifest: ClassVar[Mapping[str, Any]] = {
        "transport": "websocket",
        "capabilities": {"ends_session": True, "restartable": True, "playback_started": True},
    }

    @hookimpl
    def vendor_backend(self) -> VendorAPI:
        """One socket."""
        return VendorAPI(self.socket())

    def socket(self) -> Socket:
        """The socket."""
        return Socket(
            "session socket",
            "/v1/audio",
            play,
            headers=KEY,
            first=ROOM,
            room=RoomAccess("/url", "/token"),
            opens_session=True,
            ends_session=True,
        )


class TokenInHeader(FirstMessage):
    """The socket opens the session, and the request for it has the room's token in a header."""

    class avatar(SocketOnlyAvatar):
        """Its avatar."""

        def headers(self, room: Mapping[str, str]) -> Mapping[str, str]:
            return {"X-Room": room["url"], "X-Room-Token": f"Bearer {room['token']}"}

        def messages(self, room: Mapping[str, str]) -> list[Mapping[str, str]]:
            return []

    def socket(self) -> Socket:
        access = RoomAccess("header:X-Room", "header:X-Room-Token")
        return Socket(
            "session socket",
            "/v1/audio",
            play,
            headers=KEY,
            room=access,
            opens_session=True,
            ends_session=True,
        )


class Joining(FirstMessage):
    """The vendor greets, is told of the room in a later message, and joins when it is."""

    class avatar(SocketOnlyAvatar):
        """Its avatar."""

        def messages(self, room: Mapping[str, str]) -> list[Mapping[str, str]]:
            return [{"type": "hello"}, {"type": "join", **room}]

    def socket(self) -> Socket:
        return Socket(
            "session socket",
            "/v1/audio",
            self.serve,
            headers=KEY,
            opens_session=True,
            ends_session=True,
        )

    @staticmethod
    async def serve(session: SocketSession) -> None:
        """Wait for the message with the room in it."""
        async for message in session.socket:
            event = json.loads(message.data)
            if event["type"] == "join":
                await session.join(token=event["token"], url=event["url"])
                await play(session)
                return


class Addressed(SocketAvatar):
    """Opens its session by a call, and a socket that says in its own way which session it is."""

    where = "header"

    async def connect(self, session: str) -> None:
        headers = {"X-Session": session} if self.where == "header" else {}
        url = f"{AUDIO}?session={session}" if self.where == "query" else AUDIO
        self._http = aiohttp.ClientSession()
        try:
            self._socket = await self._http.ws_connect(url, headers=headers)
            if self.where == "message":
                await self._socket.send_json({"session": session})
            await asyncio.wait_for(self._until_connected(self._socket), CONNECTS_WITHIN)
        except (aiohttp.ClientError, asyncio.TimeoutError, TypeError, ValueError) as error:
            raise ReferenceError(f"reference: no socket: {type(error).__name__}") from error
        self._listening = asyncio.ensure_future(self._listen(self._socket))


class ByHeader(SocketAdapter):
    """A socket that is addressed by a header."""

    avatar = Addressed
    place = "header:X-Session"

    @hookimpl
    def vendor_backend(self) -> VendorAPI:
        """The reference vendor's calls, and the socket."""
        opening, ending = reference.vendor_backend().calls
        socket = Socket("audio socket", "/v1/audio", play, session=self.place)
        return VendorAPI(opening, socket, ending)


class ByQuery(ByHeader):
    """A socket that is addressed by a query parameter."""

    place = "query:session"

    class avatar(Addressed):
        """Its avatar."""

        where = "query"


class ByMessage(ByHeader):
    """A socket that is addressed by its first message."""

    place = "/session"

    class avatar(Addressed):
        """Its avatar."""

        where = "message"


class MintedClient(ReferenceApi):
    """Asks for a session of a vendor that has the room's key itself."""

    async def open(self, *, url: str, token: str, identity: str) -> str:
        self._body = {"identity": identity}
        return await super().open(url=url, token=token, identity=identity)

    async def _open_once(self, body: dict[str, Any]) -> str:
        return await super()._open_once(self._body)


class Minted(SoundAdapter):
    """The vendor mints the room's token itself, and tells it in its answer."""

    class avatar(SoundAvatar):
        """Its avatar."""

        def _vendor(self) -> ReferenceApi:
            return MintedClient(self._api_key, attempts=self._attempts)

    answer: ClassVar[Mapping[str, str]] = {
        "session_id": "{session}",
        "url": "{room_url}",
        "token": "{room_token}",
    }

    @hookimpl
    def vendor_backend(self) -> VendorAPI:
        """The reference vendor's calls, the first without a token."""
        _, ending = reference.vendor_backend().calls
        opening = Call(
            "open session",
            "POST",
            "/v1/sessions",
            headers=KEY,
            body=fields({"identity": STRING}),
            room=MintedAccess(identity="/identity"),
            opens_session=True,
            answer=self.answer,
            needed_fields=("session_id",),
        )
        return VendorAPI(opening, ending)


class NeverToldOfTheEnd(ReferenceApi):
    """Tells the vendor nothing when a session is over."""

    async def end(self, session_id: str) -> None:
        return


class EndsWithAgent(SoundAdapter):
    """The vendor ends a session when it sees the agent leave, and is not told otherwise."""

    class avatar(SoundAvatar):
        """Its avatar."""

        def _vendor(self) -> ReferenceApi:
            return NeverToldOfTheEnd(self._api_key, attempts=self._attempts)

        async def _leave_room(self) -> None:
            return  # nor does it remove the participant, whose leaving would tell

    manifest: ClassVar[Mapping[str, Any]] = {"capabilities": {"playback_started": True}}
    ends_with_agent = True

    @hookimpl
    def vendor_backend(self) -> VendorAPI:
        """One call."""
        opening = reference.vendor_backend().calls[0]
        return VendorAPI(
            Call(
                opening.name,
                opening.method,
                opening.path,
                headers=KEY,
                room=opening.room,
                opens_session=True,
                ends_with_agent=self.ends_with_agent,
                answer=opening.answer,
            )
        )


class TellingAvatar(SoundAvatar):
    """Tells the avatar's participant that the call is over."""

    def _vendor(self) -> ReferenceApi:
        return NeverToldOfTheEnd(self._api_key, attempts=self._attempts)

    async def _leave_room(self) -> None:
        room = self._watched
        there = room.remote_participants.get(self._identity) if room is not None else None
        if room is not None and there is not None and there.sid == self._participant_sid:
            await self.tell(room.local_participant)
        await super()._leave_room()

    async def tell(self, agent: rtc.LocalParticipant) -> None:
        """Tell by a data message."""
        await agent.publish_data(b'{"bye": true}', destination_identities=[self._identity])


class ToldByData(SoundAdapter):
    """The vendor ends a session when its participant gets a data message."""

    avatar = TellingAvatar
    message: DataMessage | RpcCall = DataMessage(
        "bye", fields({"bye": {"const": True}}), ends_session=True
    )

    @hookimpl
    def vendor_backend(self) -> VendorAPI:
        """One call, and the message."""
        return VendorAPI(reference.vendor_backend().calls[0], self.message)


class ToldByRpc(ToldByData):
    """The vendor ends a session when its participant gets an RPC."""

    message = RpcCall("bye", "acme.bye", answer="ok", ends_session=True)

    class avatar(TellingAvatar):
        """Its avatar."""

        async def tell(self, agent: rtc.LocalParticipant) -> None:
            answer = await agent.perform_rpc(
                destination_identity=self._identity, method="acme.bye", payload=""
            )
            assert answer == "ok"


def big_endian(pcm: bytes) -> bytes:
    """16 bit samples with their bytes exchanged, as some vendors have them."""
    swapped = bytearray(pcm)
    swapped[::2], swapped[1::2] = pcm[1::2], pcm[::2]
    return bytes(swapped)


class BinarySink(SocketSink):
    """Sends audio in binary messages, each behind a byte that says what it is."""

    async def _send(self, earlier: asyncio.Task[None] | None, event: dict[str, str]) -> None:
        if event["type"] != "audio":
            await super()._send(earlier, event)
            return
        if earlier is not None:
            await earlier
        await self._socket.send_bytes(b"\x01" + big_endian(base64.b64decode(event["pcm"])))


class Binary(SocketAdapter):
    """Audio in binary messages, in an encoding of the vendor's own."""

    class avatar(SocketAvatar):
        """Its avatar."""

        def _sink(self) -> Any:
            assert self._socket is not None
            self._own_sink = BinarySink(self._socket)
            return self._own_sink

    @hookimpl
    def vendor_backend(self) -> VendorAPI:
        """The reference vendor's calls, and a socket that takes the encoding apart."""
        opening, ending = reference.vendor_backend().calls
        socket = Socket(
            "audio socket",
            "/v1/sessions/{session}/audio",
            self.serve,
            encoding=lambda message: big_endian(message[1:]),
        )
        return VendorAPI(opening, socket, ending)

    @staticmethod
    async def serve(session: SocketSession) -> None:
        """Binary messages are audio, the others say what to do."""
        worker = session.worker
        assert isinstance(worker, SocketWorker)
        worker.socket = session.socket
        await session.socket.send_json({"type": "connected"})
        async for message in session.socket:
            if isinstance(message.data, bytes):
                session.play(message.data)
            elif json.loads(message.data)["type"] == "end":
                session.player.end_segment()
            else:
                session.player.clear()
        worker.socket = None
