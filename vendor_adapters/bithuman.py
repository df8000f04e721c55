"""bitHuman in the cloud: one call, byte streams; the answer is the status alone."""

from __future__ import annotations

from conformance import plugin
from conformance.plugin import STRING, AdapterContext, RoomAccess, fields, hookimpl, session_api

from ._deviations.bithuman import known_deviations as known_deviations


@hookimpl
def avatar_provider_manifest() -> dict[str, object]:
    """Declare bitHuman's cloud mode."""
    return {
        "name": "bithuman",
        "distribution": "livekit-plugins-bithuman",
        "avatar_session": "livekit.plugins.bithuman:AvatarSession",
        "exception": "livekit.plugins.bithuman:BitHumanException",
        "transport": "bytestream",
        "identity": "bithuman-avatar-agent",
        "hosts": ["auth.api.bithuman.ai"],
        "credentials": [{"name": "api_secret", "environment": "BITHUMAN_API_SECRET"}],
        "capabilities": {"restartable": True},
    }


@hookimpl
def create_avatar(context: AdapterContext) -> object:
    """Construct it."""
    from livekit.agents import NOT_GIVEN
    from livekit.plugins import bithuman

    identity = context.identity or NOT_GIVEN
    return bithuman.AvatarSession(
        avatar_id="avatar-1", avatar_participant_identity=identity, **context.conn_options()
    )


@hookimpl
def vendor_backend() -> plugin.VendorAPI:
    """Describe its one call."""
    room = {"livekit_url": STRING, "livekit_token": STRING, "room_name": STRING}
    return session_api(
        "/v1/runtime-tokens/request",
        headers={"api-secret": "{api_secret}"},
        body=fields({**room, "mode": {"const": "cpu"}, "agent_id": {"const": "avatar-1"}}),
        room=RoomAccess("/livekit_url", "/livekit_token", room_name="/room_name"),
        answer_ignored=True,
    )
