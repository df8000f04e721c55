"""Runway: one call, byte streams; a session ends by a data message, or else by a DELETE."""

from __future__ import annotations

from conformance.plugin import (
    STRING,
    AdapterContext,
    Call,
    DataMessage,
    RoomAccess,
    VendorAPI,
    fields,
    hookimpl,
)

from ._deviations.runway import known_deviations as known_deviations

HEADERS = {"Authorization": "Bearer {api_key}", "X-Runway-Version": "2024-11-06"}


@hookimpl
def avatar_provider_manifest() -> dict[str, object]:
    """Declare Runway."""
    return {
        "name": "runway",
        "distribution": "livekit-plugins-runway",
        "avatar_session": "livekit.plugins.runway:AvatarSession",
        "exception": "livekit.plugins.runway:RunwayException",
        "transport": "bytestream",
        "sample_rate": 16000,
        "identity": "runway-avatar-agent",
        "hosts": ["api.dev.runwayml.com"],
        "credentials": [{"name": "api_key", "environment": "RUNWAYML_API_SECRET"}],
        "capabilities": {"ends_session": True, "restartable": True},
    }


@hookimpl
def create_avatar(context: AdapterContext) -> object:
    """Construct it."""
    from livekit.agents import NOT_GIVEN
    from livekit.plugins import runway

    identity = context.identity or NOT_GIVEN
    return runway.AvatarSession(
        avatar_id="avatar-1", avatar_participant_identity=identity, **context.conn_options()
    )


@hookimpl
def vendor_backend() -> VendorAPI:
    """Describe the call that opens a session, and the one that cancels it."""
    avatar = fields({"type": {"const": "custom"}, "avatarId": STRING})
    room = fields({"url": STRING, "token": STRING, "roomName": STRING, "agentIdentity": STRING})
    return VendorAPI(
        Call(
            "create session",
            "POST",
            "/v1/realtime_sessions",
            headers=HEADERS,
            body=fields({"model": {"const": "gwm1_avatars"}, "avatar": avatar, "livekit": room}),
            room=RoomAccess("/livekit/url", "/livekit/token", room_name="/livekit/roomName"),
            opens_session=True,
            answer={"id": "{session}"},
        ),
        Call(
            "cancel session",
            "DELETE",
            "/v1/realtime_sessions/{session}",
            headers=HEADERS,
            ends_session=True,
            when="later",
        ),
        DataMessage("hang up", fields({"type": {"const": "END_CALL"}}), ends_session=True),
    )
