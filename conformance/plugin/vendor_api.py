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
from typing import TYPE_CHECKING, Any, Literal

from .vendor_messages import DataMessage, RoomMessage, RpcCall

if TYPE_CHECKING:
    from aiohttp import web

    from .player import Player
    from .worker import Worker

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
    """Where in a request body the room is: JSON pointers (RFC 6901) to the URL and the token.

    ``identity`` and ``room_name`` are pointers to fields that repeat the avatar's identity or the
    room's name, where the vendor's API has them. ``participant`` names the one that joins with this
    token, for vendors whose avatar is more than one participant.
    """

    url: str
    token: str
    identity: str | None = None
    room_name: str | None = None
    participant: str = "avatar"


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
    are required values, in which ``{name}`` stands for the credential of that name and
    ``{session}`` for the id of the session that is addressed. ``body`` is the
    JSON Schema of the request. ``answer`` is the JSON value answered, or a function of the request
    that returns it; in its strings ``{session}`` stands for the session's id. A call that
    ``start()`` does not make has ``when="later"``.
    """

    name: str
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    host: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    body_format: BodyFormat = "json"
    room: RoomAccess | Sequence[RoomAccess] | None = None
    session: str | None = None
    opens_session: bool = False
    """A success makes a vendor session, which is billed until it is ended."""
    ends_with_worker: bool = False
    """The vendor ends that session by itself when its participant has left the room, or was removed
    from it, as ``AvatarSession.aclose()`` of the host does; nobody has to call it then."""
    ends_session: bool = False
    """A success ends the vendor session that the request addresses (UNBIND-05)."""
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
    def rooms(self) -> tuple[RoomAccess, ...]:
        """Where the room tokens are, one for each participant that this call brings in."""
        if self.room is None:
            return ()
        return (self.room,) if isinstance(self.room, RoomAccess) else tuple(self.room)


@dataclass(frozen=True)
class SocketSession:
    """One WebSocket connection to a vendor: the socket, the vendor session and its worker.

    Audio that comes over the socket goes into the worker's player; the worker's ``notify_started``
    and ``notify_finished`` say when to report over the socket.
    """

    socket: web.WebSocketResponse
    session: str | None
    worker: Worker

    @property
    def player(self) -> Player:
        """The player of the worker; it remembers every segment."""
        return self.worker.player


@dataclass(frozen=True)
class Socket:
    """A WebSocket endpoint of the vendor's API, played by ``handler`` until it returns."""

    name: str
    path: str
    handler: Callable[[SocketSession], Awaitable[None]]
    host: str | None = None


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
    def messages(self) -> tuple[RoomMessage, ...]:
        """The messages in the room."""
        return tuple(e for e in self.endpoints if isinstance(e, (DataMessage, RpcCall)))


def session_api(path: str, *, room: RoomAccess, **options: Any) -> VendorAPI:
    """The API of a plain vendor: one POST that opens a session in the room.

    ``options`` are further fields of its `Call`.
    """
    create = Call("create session", "POST", path, room=room, opens_session=True, **options)
    return VendorAPI(create)
