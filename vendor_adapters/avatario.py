"""Avatario: one call, byte streams."""

from __future__ import annotations

from conformance import plugin
from conformance.plugin import STRING, AdapterContext, RoomAccess, fields, hookimpl, session_api

from ._deviations.avatario import known_deviations as known_deviations


@hookimpl
def avatar_provider_manifest() -> dict[str, object]:
    """Declare Avatario."""
    return {
        "name": "avatario",
        "distribution": "livekit-plugins-avatario",
        "avatar_session": "livekit.plugins.avatario:AvatarSession",
        "exception": "livekit.plugins.avatario:AvatarioException",
        "transport": "bytestream",
        "sample_rate": 24000,
        "identity": "avatario-avatar-agent",
        "hosts": ["avatario.ai"],
        "credentials": [
            {"name": "api_key", "environment": "AVATARIO_API_KEY"},
            {"name": "avatar_id", "environment": "AVATARIO_AVATAR_ID", "secret": False},
        ],
        "capabilities": {"restartable": True},
    }


@hookimpl
def create_avatar(context: AdapterContext) -> object:
    """Construct it."""
    from livekit.agents import NOT_GIVEN
    from livekit.plugins import avatario

    identity = context.identity or NOT_GIVEN
    return avatario.AvatarSession(avatar_participant_identity=identity, **context.conn_options())


@hookimpl
def vendor_backend() -> plugin.VendorAPI:
    """Describe its one call."""
    size = {"video_height": {"const": 720}, "video_width": {"const": 1280}}
    video = {**size, "custom_background_url": {"type": ["string", "null"]}}
    room = {"livekit": fields({"url": STRING, "token": STRING}), "agent_id": STRING}
    return session_api(
        "/api/sdk/start-session",
        headers={"x-api-key": "{api_key}"},
        body=fields({"avatario_face_id": STRING, **room, **video}),
        room=RoomAccess("/livekit/url", "/livekit/token"),
    )
