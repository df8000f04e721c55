"""D-ID: one call, Basic authorization, byte streams."""

from __future__ import annotations

from conformance import plugin
from conformance.plugin import STRING, AdapterContext, RoomAccess, fields, hookimpl, session_api

from ._deviations.did import known_deviations as known_deviations


@hookimpl
def avatar_provider_manifest() -> dict[str, object]:
    """Declare D-ID."""
    return {
        "name": "did",
        "distribution": "livekit-plugins-did",
        "avatar_session": "livekit.plugins.did:AvatarSession",
        "exception": "livekit.plugins.did:DIDException",
        "transport": "bytestream",
        "sample_rate": 24000,
        "identity": "d-id-avatar-agent",
        "hosts": ["api.d-id.com"],
        "credentials": [{"name": "api_key", "environment": "DID_API_KEY"}],
        "capabilities": {"restartable": True},
    }


@hookimpl
def create_avatar(context: AdapterContext) -> object:
    """Construct it."""
    from livekit.agents import NOT_GIVEN
    from livekit.plugins import did

    who = context.conn_options(avatar_participant_identity=context.identity or NOT_GIVEN)
    return did.AvatarSession(agent_id="agent-1", **who)


@hookimpl
def vendor_backend() -> plugin.VendorAPI:
    """Describe its one call."""
    place = {"server_url": STRING, "token": STRING, "room_name": STRING}
    audio = fields({"sample_rate": {"const": 24000}})
    transport = fields({"provider": {"const": "livekit"}, **place})
    return session_api(
        "/v2/agents/agent-1/sessions/join",
        headers={"Authorization": "Basic {api_key}"},
        body=fields({"transport": transport, "audio_config": audio}),
        room=RoomAccess(
            "/transport/server_url", "/transport/token", room_name="/transport/room_name"
        ),
        answer={"id": "{session}"},
        needed_fields=("id",),
    )
