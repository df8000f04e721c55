"""LiveKit's room service API, as its clients speak it: twirp, protobuf over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
from aiohttp import web
from livekit import api, rtc
from livekit.api.access_token import Claims
from livekit.protocol import models
from livekit.protocol import room as proto

from conformance.stage.faults import Fault

from .connection import Link
from .server import LoopbackServer

PREFIX = "/twirp/livekit.RoomService/"
PROTOBUF = "application/protobuf"
UNDECLARED = "https://undeclared.conformance.test/"

NO_PARTICIPANT = "twirp error unknown: participant does not exist"
NO_ROOM = "twirp error unknown: requested room does not exist"


class TwirpFailure(Exception):
    """An answer that is an error; ``code`` is twirp's."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class RoomService:
    """Answers the room service's calls for a server. ``protocols`` makes a connection's protocol.

    Call :meth:`start` before the first connection and :meth:`aclose` at the end.
    """

    def __init__(self, server: LoopbackServer) -> None:
        self._server = server
        self._calls: dict[str, tuple[Any, Callable[[Any, Claims], Any]]] = {
            "DeleteRoom": (proto.DeleteRoomRequest, self._delete_room),
            "ListParticipants": (proto.ListParticipantsRequest, self._list_participants),
            "GetParticipant": (proto.RoomParticipantIdentity, self._get_participant),
            "RemoveParticipant": (proto.RoomParticipantIdentity, self._remove_participant),
            "UpdateParticipant": (proto.UpdateParticipantRequest, self._update_participant),
        }
        app = web.Application()
        app.router.add_post(PREFIX + "{call}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def start(self) -> None:
        """Be ready to answer."""
        await self._runner.setup()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._runner.cleanup()

    def protocols(self) -> asyncio.BaseProtocol:
        """A protocol for a new connection."""
        server = self._runner.server
        assert server is not None, "start() the room service before it is connected to"
        return server()

    def admits(self) -> bool:
        """Whether connections are accepted."""
        fault = self._server.fault
        if fault is None or fault.kind != "refused":
            return True
        self._server.timeline.record("room", "fault", "room API", what=str(fault))
        return False

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        fault = self._server.fault
        if fault is not None:
            self._server.timeline.record("room", "fault", "room API", what=str(fault))
            shown = await _show(fault, request)
            if shown is not None:
                return shown
        try:
            return await self._call(request)
        except TwirpFailure as failure:
            return web.json_response(
                {"code": failure.code, "msg": failure.message}, status=failure.status
            )

    async def _call(self, request: web.Request) -> web.Response:
        name = request.match_info["call"]
        if name not in self._calls:
            raise TwirpFailure(
                501,
                "unimplemented",
                f"the loopback room's API has no {name}: it answers {', '.join(self._calls)}",
            )
        try:
            claims = self._claims(request)
        except jwt.PyJWTError:
            return web.Response(status=401, text="invalid token")
        message_class, function = self._calls[name]
        message = message_class.FromString(await request.read())
        answer = function(message, claims)
        return web.Response(body=answer.SerializeToString(), content_type=PROTOBUF)

    def _claims(self, request: web.Request) -> Claims:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer":
            raise jwt.InvalidTokenError("no bearer token")
        credentials = self._server.credentials
        return api.TokenVerifier(credentials.api_key, credentials.api_secret).verify(token)

    def _delete_room(self, request: Any, claims: Claims) -> Any:
        _require(claims.video is not None and claims.video.room_create)
        if not self._server.delete_room(request.room):
            raise TwirpFailure(404, "not_found", NO_ROOM)
        return proto.DeleteRoomResponse()

    def _list_participants(self, request: Any, claims: Claims) -> Any:
        _require_admin(claims, request.room)
        room = self._server.rooms.get(request.room)
        links = room.links.values() if room is not None else ()
        return proto.ListParticipantsResponse(participants=[_described(link) for link in links])

    def _get_participant(self, request: Any, claims: Claims) -> Any:
        return _described(self._find(request.room, request.identity, claims))

    def _remove_participant(self, request: Any, claims: Claims) -> Any:
        _require_admin(claims, request.room)
        if not self._server.remove_participant(request.room, request.identity):
            raise TwirpFailure(404, "not_found", NO_PARTICIPANT)
        return proto.RemoveParticipantResponse()

    def _update_participant(self, request: Any, claims: Claims) -> Any:
        link = self._find(request.room, request.identity, claims)
        self._server.update(
            link,
            attributes=dict(request.attributes),
            metadata=request.metadata or None,
            name=request.name or None,
            permitted=True,
        )
        return _described(link)

    def _find(self, room_name: str, identity: str, claims: Claims) -> Link:
        _require_admin(claims, room_name)
        room = self._server.rooms.get(room_name)
        link = room.links.get(identity) if room is not None else None
        if link is None:
            raise TwirpFailure(404, "not_found", NO_PARTICIPANT)
        return link


def _require(granted: object) -> None:
    if not granted:
        raise TwirpFailure(401, "unauthenticated", "permissions denied")


def _require_admin(claims: Claims, room_name: str) -> None:
    grants = claims.video
    _require(grants is not None and grants.room_admin and grants.room == room_name)


def _described(link: Link) -> Any:
    info = link.info
    described = models.ParticipantInfo(
        sid=info.sid,
        identity=info.identity,
        name=info.name,
        metadata=info.metadata,
        state=models.ParticipantInfo.State.Name(info.state),
        kind=models.ParticipantInfo.Kind.Name(info.kind),
        attributes=dict(info.attributes),
    )
    for published in link.published.values():
        video = published.info.kind == rtc.TrackKind.KIND_VIDEO
        described.tracks.append(
            models.TrackInfo(
                sid=published.info.sid,
                name=published.info.name,
                type=models.TrackType.VIDEO if video else models.TrackType.AUDIO,
            )
        )
    return described


async def _show(fault: Fault, request: web.Request) -> web.StreamResponse | None:
    """The faulty answer; None for one that is only late."""
    shows: dict[str, Callable[[], Awaitable[web.StreamResponse | None]]] = {
        "status": lambda: _status(fault),
        "refused": lambda: _abort(request),
        "reset-before-answer": lambda: _abort(request),
        "reset-inside-answer": lambda: _abort_inside(request),
        "never-answers": _never,
        "answers-slowly": lambda: _slowly(fault),
        "not-json": _garbage,
        "wrong-content-type": _garbage,
        "redirect-to-undeclared-host": _redirect,
    }
    return await shows[fault.kind]()


async def _status(fault: Fault) -> web.StreamResponse:
    return web.json_response(
        {"code": "unavailable", "msg": "made to fail"}, status=fault.status or 500
    )


async def _abort(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


async def _abort_inside(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100", "Content-Type": PROTOBUF})
    await response.prepare(request)
    await response.write(b"\x0a")
    if request.transport is not None:
        request.transport.abort()
    return response


async def _never() -> web.StreamResponse:
    await asyncio.Event().wait()
    raise AssertionError("unreachable: nobody sets the event")


async def _slowly(fault: Fault) -> None:
    await asyncio.sleep(fault.delay)


async def _garbage() -> web.StreamResponse:
    return web.Response(text="<html>not what you asked for</html>", content_type="text/html")


async def _redirect() -> web.StreamResponse:
    return web.Response(status=307, headers={"Location": UNDECLARED})
