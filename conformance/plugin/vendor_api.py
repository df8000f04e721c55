"""Description of a vendor's API: its calls, their needed headers and fields, their answers.

These are descriptions only. The stage serves them in memory to the plugin's own HTTP client,
checks every request against them, and makes the worker join with the room token it was sent.

A plain vendor needs one call::

    session_api(
        "/v1/sessions",
        headers={"x-api-key": "{api_key}"},
        body=fields({"avatar_id": STRING, "url": STRING, "token": STRING}),
        room=RoomAccess(url="/url", token="/token"),
    )

More of them are a `VendorAPI` of `Call` and `Socket` values.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from .socket_session import Encoding, SocketSession
from .vendor_messages import DataMessage, RoomMessage, RpcCall

STRING: Mapping[str, Any] = {"type": "string", "minLength": 1}
"""JSON Schema of a string that must not be empty."""


def fields(
    required: Mapping[str, Any], optional: Mapping[str, Any] | None = None
) -> Mapping[str, Any]:
    """JSON Schema of an object with exactly these fields."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }


BodyFormat = Literal["json", "form", "multipart"]


@dataclass(frozen=True)
class RoomAccess:
    """Where in a request the room is: the places of its URL and of the token that admits to it.

    A place is a JSON pointer (RFC 6901) into the body, or ``header:NAME``, or ``query:NAME``; in a
    header the scheme (``Bearer``) is left out. Of a `Socket` the body is the first message.
    ``url`` is None where the vendor knows the server. ``identity`` and ``room_name`` are places
    that repeat the avatar's identity or the room's name, where the vendor's API has them.
    ``participant`` names the one that joins with this token, for vendors whose avatar is more than
    one participant.
    """

    url: str | None
    token: str
    identity: str | None = None
    room_name: str | None = None
    participant: str = "avatar"


@dataclass(frozen=True)
class MintedAccess:
    """The vendor mints the room's token itself, so that none is in the request.

    The stage mints it, for the identity at the place ``identity``, or else the avatar's own. In
    the answer ``{room_url}`` and ``{room_token}`` stand for what it has minted, where the vendor
    tells them; the avatar joins all the same where it does not.
    """

    identity: str | None = None
    participant: str = "avatar"


Access = RoomAccess | MintedAccess


@dataclass(frozen=True)
class ApiRequest:
    """One request as the backend received it.

    ``at`` is in seconds by the stage's clock; ``path`` has its query; ``body`` is the decoded JSON,
    form or multipart payload; ``session`` is the vendor session that this request opened or
    addressed, if any.
    """

    at: float
    call: str
    method: str
    host: str
    path: str
    headers: Mapping[str, str]
    body: Any
    session: str | None = None


Answer = Any | Callable[[ApiRequest], Any]


@dataclass(frozen=True)
class Call:
    """One HTTP call of the vendor's API.

    ``path`` is an aiohttp route (``/sessions/{session}``; the placeholder ``session`` addresses a
    vendor session). ``session`` is the JSON pointer to that session's id in the body, for a call
    that names it there. ``host`` defaults to the first host that the manifest declares. ``headers``
    and ``query`` are required values, in which ``{name}`` stands for the credential of that name
    and ``{session}`` for the id of the session that is addressed. ``body`` is the
    JSON Schema of the request. ``answer`` is the JSON value answered, or a function of the request
    that returns it; in its strings ``{session}`` stands for the session's id. A call that
    ``start()`` does not make has ``when="later"``.
    """

    name: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    host: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    body_format: BodyFormat = "json"
    room: Access | Sequence[Access] | None = None
    session: str | None = None
    opens_session: bool = False
    """A success makes a vendor session, which is billed until it is ended."""
    ends_with_worker: bool = False
    """The vendor ends that session by itself when its participant has left the room, or was removed
    from it, as ``AvatarSession.aclose()`` of the host does; nobody has to call it then."""
    ends_with_agent: bool = False
    """The vendor ends that session by itself when the agent has left the room."""
    ends_session: bool = False
    """A success ends the vendor session that the request addresses (UNBIND-05)."""
    idempotency: str | None = None
    """The place of a key (see `RoomAccess`) by which the vendor knows a call again: the same key
    with the same body opens no second session, and is answered as the first one was."""
    answer: Answer = field(default_factory=dict)
    needed_fields: Sequence[str] = ()
    """Fields of the answer that the plugin cannot do without; the `field-missing` fault drops
    them. Empty: the plugin needs nothing of the answer, and that fault does not apply."""
    answer_ignored: bool = False
    """The plugin reads the status alone, and nothing of the answer: one that can't be read is then
    no fault, and the checks that spoil it do not apply."""
    status: int = 200
    """The HTTP status of a successful answer."""
    when: Literal["start", "later"] = "start"
    """Whether ``start()`` makes this call: only then is it made to fail for the FAULT checks."""

    @property
    def rooms(self) -> tuple[Access, ...]:
        """How the room is reached, once for each participant that this call brings in."""
        return _each(self.room)


@dataclass(frozen=True)
class Socket:
    """A WebSocket endpoint of the vendor's API, played by ``handler`` until it returns.

    ``headers`` and ``query`` are required values, as of a `Call`. ``session`` is the place of the
    vendor session that it addresses, where the path has no ``{session}`` (see `RoomAccess` for
    places), and ``room`` how the room is reached. Where one of these places is a JSON pointer the
    first message is read before ``handler`` gets the socket, and checked against ``first``, a JSON
    Schema. ``encoding`` is what `SocketSession.play` takes audio from.
    """

    name: str
    path: str
    handler: Callable[[SocketSession], Awaitable[None]]
    host: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    session: str | None = None
    first: Mapping[str, Any] | None = None
    room: Access | Sequence[Access] | None = None
    opens_session: bool = False
    """Opening it makes a vendor session, which is billed until it is ended. Without a ``room``
    ``handler`` says when the worker comes: `SocketSession.join`."""
    ends_session: bool = False
    """When it is closed, its vendor session is over (UNBIND-05)."""
    ends_with_worker: bool = False
    """As of a `Call`."""
    ends_with_agent: bool = False
    """As of a `Call`."""
    encoding: Encoding = "pcm"

    @property
    def rooms(self) -> tuple[Access, ...]:
        """How the room is reached, once for each participant that it brings in."""
        return _each(self.room)

    @property
    def has_first_message(self) -> bool:
        """Whether the first message says what it is about."""
        places = [self.session]
        for access in self.rooms:
            places.append(access.identity)
            if isinstance(access, RoomAccess):
                places += [access.url, access.token]
        return self.first is not None or any(str(place).startswith("/") for place in places)


def _each(room: Access | Sequence[Access] | None) -> tuple[Access, ...]:
    if room is None:
        return ()
    return (room,) if isinstance(room, (RoomAccess, MintedAccess)) else tuple(room)


@dataclass(frozen=True, init=False)
class VendorAPI:
    """The whole API of a vendor, as far as its plugin uses it."""

    endpoints: tuple[Call | Socket | RoomMessage, ...]

    def __init__(self, *endpoints: Call | Socket | RoomMessage) -> None:
        object.__setattr__(self, "endpoints", endpoints)

    @property
    def calls(self) -> tuple[Call, ...]:
        """The HTTP calls, in the order in which ``start()`` makes them."""
        return tuple(e for e in self.endpoints if isinstance(e, Call))

    @property
    def sockets(self) -> tuple[Socket, ...]:
        """The WebSocket endpoints."""
        return tuple(e for e in self.endpoints if isinstance(e, Socket))

    @property
    def takes_token(self) -> bool:
        """Whether the vendor is sent a room token, and has none of its own."""
        return any(isinstance(access, RoomAccess) for access in self._rooms)

    @property
    def joins(self) -> bool:
        """Whether anything brings an avatar into the room."""
        return bool(self._rooms) or any(socket.opens_session for socket in self.sockets)

    @property
    def _rooms(self) -> list[Access]:
        of_calls = [access for call in self.calls for access in call.rooms]
        return of_calls + [access for socket in self.sockets for access in socket.rooms]

    @property
    def messages(self) -> tuple[RoomMessage, ...]:
        """The messages in the room."""
        return tuple(e for e in self.endpoints if isinstance(e, (DataMessage, RpcCall)))


def session_api(path: str, *, room: Access, **options: Any) -> VendorAPI:
    """The API of a plain vendor: one POST that opens a session in the room.

    ``options`` are further fields of its `Call`.
    """
    create = Call("create session", "POST", path, room=room, opens_session=True, **options)
    return VendorAPI(create)
