"""LemonSlice: one call (JSON, for there is no image to upload), byte streams."""

from __future__ import annotations

from conformance import plugin
from conformance.plugin import STRING, AdapterContext, RoomAccess, fields, hookimpl, session_api

from ._deviations.lemonslice import known_deviations as known_deviations
from ._earlier.lemonslice import as_installed, sample_rate


@hookimpl
def avatar_provider_manifest() -> dict[str, object]:
    """Declare LemonSlice."""
    return {
        "name": "lemonslice",
        "distribution": "livekit-plugins-lemonslice",
        "avatar_session": "livekit.plugins.lemonslice:AvatarSession",
        "exception": "livekit.plugins.lemonslice:LemonSliceException",
        "transport": "bytestream",
        "sample_rate": sample_rate(),
        "identity": "lemonslice-avatar-agent",
        "hosts": ["lemonslice.com"],
        "credentials": [{"name": "api_key", "environment": "LEMONSLICE_API_KEY"}],
        "capabilities": {"playback_started": True, "restartable": True},
    }


@hookimpl
def create_avatar(context: AdapterContext) -> object:
    """Construct it."""
    from livekit.agents import NOT_GIVEN
    from livekit.plugins import lemonslice

    who = context.conn_options(avatar_participant_identity=context.identity or NOT_GIVEN)
    return lemonslice.AvatarSession(agent_id="agent-1", **who)


@hookimpl
def vendor_backend() -> plugin.VendorAPI:
    """Describe its one call."""
    room = {"livekit_url": STRING, "livekit_token": STRING, "livekit_session_id": STRING}
    fixed = {"transport_type": {"const": "livekit"}, "audio_sample_rate": {"const": 24000}}
    newest = session_api(
        "/api/liveai/sessions",
        headers={"X-API-Key": "{api_key}"},
        body=fields({**fixed, "agent_id": {"const": "agent-1"}, "properties": fields(room)}),
        room=RoomAccess("/properties/livekit_url", "/properties/livekit_token"),
        answer={"session_id": "{session}"},
        needed_fields=("session_id",),
    )
    return as_installed(newest)
