"""LiveAvatar: three calls and a WebSocket that carries the audio; its participant shows video."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import TYPE_CHECKING

from conformance.plugin import (
    STRING,
    AdapterContext,
    Call,
    RoomAccess,
    Socket,
    SocketSession,
    VendorAPI,
    Worker,
    fields,
    hookimpl,
)

from ._deviations.liveavatar import known_deviations as known_deviations

if TYPE_CHECKING:
    from aiohttp import web

HOST = "api.liveavatar.com"
SAMPLE_RATE = 24000
UNHEARD = {"session.keep_alive", "agent.start_listening", "agent.stop_listening"}


@hookimpl
def avatar_provider_manifest() -> dict[str, object]:
    """Declare LiveAvatar."""
    return {
        "name": "liveavatar",
        "distribution": "livekit-plugins-liveavatar",
        "avatar_session": "livekit.plugins.liveavatar:AvatarSession",
        "exception": "livekit.plugins.liveavatar:LiveAvatarException",
        "transport": "websocket",
        "sample_rate": SAMPLE_RATE,
        "identity": "liveavatar-avatar-agent",
        "hosts": [HOST],
        "credentials": [
            {"name": "api_key", "environment": "LIVEAVATAR_API_KEY"},
            {"name": "avatar_id", "environment": "LIVEAVATAR_AVATAR_ID", "secret": False},
        ],
        "capabilities": {"playback_started": True},
    }


@hookimpl
def create_avatar(context: AdapterContext) -> object:
    """Construct it."""
    from livekit.agents import NOT_GIVEN
    from livekit.plugins import liveavatar

    return liveavatar.AvatarSession(
        avatar_participant_identity=context.identity or NOT_GIVEN, **context.conn_options()
    )


@hookimpl
def vendor_backend() -> VendorAPI:
    """Describe the calls that make, start and stop a session, and its WebSocket."""
    config = {"livekit_room": STRING, "livekit_url": STRING, "livekit_client_token": STRING}
    lite = {"mode": {"const": "LITE"}, "is_sandbox": {"const": False}, "avatar_id": STRING}
    bearer = {"Authorization": "Bearer {session}"}
    return VendorAPI(
        Call(
            "create session",
            "POST",
            "/v1/sessions/token",
            headers={"X-API-KEY": "{api_key}"},
            body=fields({**lite, "livekit_config": fields(config)}),
            room=RoomAccess(
                "/livekit_config/livekit_url",
                "/livekit_config/livekit_client_token",
                room_name="/livekit_config/livekit_room",
            ),
            opens_session=True,
            answer={"data": {"session_id": "{session}", "session_token": "{session}"}},
            needed_fields=("data",),
        ),
        Call(
            "start session",
            "POST",
            "/v1/sessions/start",
            headers=bearer,
            session="/session_id",
            body=fields({"session_id": STRING}),
            answer={"data": {"ws_url": f"wss://{HOST}/v1/sessions/{{session}}/audio"}},
            needed_fields=("data",),
        ),
        Socket("audio socket", "/v1/sessions/{session}/audio", play),
        Call(
            "stop session",
            "POST",
            "/v1/sessions/stop",
            headers=bearer,
            session="/session_id",
            body=fields({"session_id": STRING, "reason": STRING}),
            answer={"code": 100},
            ends_session=True,
            when="later",
        ),
    )


@hookimpl
def avatar_worker() -> type[LiveAvatarWorker]:
    """The worker that is sent audio over the WebSocket."""
    return LiveAvatarWorker


class LiveAvatarWorker(Worker):
    """Shows video in the room, and reports what it plays over the session's WebSocket."""

    socket: web.WebSocketResponse | None = None
    _sending: asyncio.Task[None] | None = None

    def notify_started(self) -> None:
        """Send ``agent.speak_started``."""
        self._send("agent.speak_started")

    def notify_finished(self, position: float, *, interrupted: bool) -> None:
        """Send ``agent.speak_ended``, after ``agent.speak_interrupted`` where it was."""
        self._send(*["agent.speak_interrupted"] * interrupted, "agent.speak_ended")

    def _send(self, *events: str) -> None:
        self._sending = asyncio.get_running_loop().create_task(self._say(self._sending, events))

    async def _say(self, earlier: asyncio.Task[None] | None, events: tuple[str, ...]) -> None:
        if earlier is not None:
            await earlier
        for event in events:
            if self.socket is not None and not self.socket.closed:
                await self.socket.send_json({"type": event})


async def play(session: SocketSession) -> None:
    """Serve a session's WebSocket: take its audio as soon as the avatar is in the room."""
    worker, player = session.worker, session.player
    assert isinstance(worker, LiveAvatarWorker)
    worker.socket = session.socket
    connecting = asyncio.get_running_loop().create_task(_connect(session))
    try:
        async for message in session.socket:
            event = json.loads(message.data)
            if event["type"] == "agent.speak":
                player.push(base64.b64decode(event["audio"], validate=True), SAMPLE_RATE, 1)
            elif event["type"] == "agent.speak_end":
                player.end_segment()
            elif event["type"] == "agent.interrupt":
                player.clear()
            elif event["type"] not in UNHEARD:
                await session.socket.send_json({"type": "error", "error": "unknown event"})
    finally:
        worker.socket = None
        connecting.cancel()


async def _connect(session: SocketSession) -> None:
    while session.player.deaf:
        await session.worker.spec.clock.sleep(0.05)
    await session.socket.send_json({"type": "session.state_updated", "state": "connected"})
