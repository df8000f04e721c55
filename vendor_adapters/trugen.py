"""TruGen: one call, byte streams in any sample rate; the answer is the status alone."""

from __future__ import annotations

from conformance import plugin
from conformance.plugin import STRING, AdapterContext, RoomAccess, fields, hookimpl, session_api

from ._deviations.trugen import known_deviations as known_deviations


@hookimpl
def avatar_provider_manifest() -> dict[str, object]:
    """Declare TruGen."""
    return {
        "name": "trugen",
        "distribution": "livekit-plugins-trugen",
        "avatar_session": "livekit.plugins.trugen:AvatarSession",
        "exception": "livekit.plugins.trugen:TrugenException",
        "transport": "bytestream",
        "identity": "trugen-avatar",
        "hosts": ["api.trugen.ai"],
        "credentials": [{"name": "api_key", "environment": "TRUGEN_API_KEY"}],
        "capabilities": {"restartable": True},
    }


@hookimpl
def create_avatar(context: AdapterContext) -> object:
    """Construct it."""
    from livekit.agents import NOT_GIVEN
    from livekit.plugins import trugen

    identity = context.identity or NOT_GIVEN
    return trugen.AvatarSession(avatar_participant_identity=identity, **context.conn_options())


@hookimpl
def vendor_backend() -> plugin.VendorAPI:
    """Describe its one call."""
    return session_api(
        "/v1/sessions",
        headers={"x-api-key": "{api_key}"},
        body=fields({"avatar_id": STRING, "livekit_url": STRING, "livekit_token": STRING}),
        room=RoomAccess("/livekit_url", "/livekit_token"),
        answer_ignored=True,
    )
