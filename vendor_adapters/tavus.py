"""Tavus: one call, byte streams."""

from __future__ import annotations

from conformance import plugin
from conformance.plugin import STRING, AdapterContext, RoomAccess, fields, hookimpl, session_api

from ._deviations.tavus import known_deviations as known_deviations
from ._earlier.tavus import as_installed, settings


@hookimpl
def avatar_provider_manifest() -> dict[str, object]:
    """Declare Tavus."""
    return {
        "name": "tavus",
        "distribution": "livekit-plugins-tavus",
        "avatar_session": "livekit.plugins.tavus:AvatarSession",
        "exception": "livekit.plugins.tavus:TavusException",
        "transport": "bytestream",
        "sample_rate": 24000,
        "identity": "tavus-avatar-agent",
        "hosts": ["tavusapi.com"],
        "credentials": [{"name": "api_key", "environment": "TAVUS_API_KEY"}, *settings()],
        "capabilities": {"restartable": True},
    }


@hookimpl
def create_avatar(context: AdapterContext) -> object:
    """Construct it."""
    from livekit.agents import NOT_GIVEN
    from livekit.plugins import tavus

    identity = context.identity or NOT_GIVEN
    return tavus.AvatarSession(avatar_participant_identity=identity, **context.conn_options())


@hookimpl
def vendor_backend() -> plugin.VendorAPI:
    """Describe its one call."""
    room = fields({"livekit_ws_url": STRING, "livekit_room_token": STRING})
    who = {"pal_id": STRING, "face_id": STRING, "conversation_name": STRING}
    newest = session_api(
        "/v2/conversations",
        headers={"x-api-key": "{api_key}"},
        body=fields({**who, "properties": room}),
        room=RoomAccess("/properties/livekit_ws_url", "/properties/livekit_room_token"),
        answer={"conversation_id": "{session}"},
        needed_fields=("conversation_id",),
    )
    return as_installed(newest)
