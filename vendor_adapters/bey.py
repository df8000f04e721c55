"""Beyond Presence: one call, byte streams; the answer is the status alone."""

from __future__ import annotations

from conformance import plugin
from conformance.plugin import STRING, AdapterContext, RoomAccess, fields, hookimpl, session_api

from ._deviations.bey import known_deviations as known_deviations
from ._earlier.bey import as_installed


@hookimpl
def avatar_provider_manifest() -> dict[str, object]:
    """Declare Beyond Presence."""
    return {
        "name": "bey",
        "distribution": "livekit-plugins-bey",
        "avatar_session": "livekit.plugins.bey:AvatarSession",
        "exception": "livekit.plugins.bey:BeyException",
        "transport": "bytestream",
        "sample_rate": 16000,
        "identity": "bey-avatar-agent",
        "hosts": ["api.bey.dev"],
        "credentials": [{"name": "api_key", "environment": "BEY_API_KEY"}],
        "capabilities": {"restartable": True},
    }


@hookimpl
def create_avatar(context: AdapterContext) -> object:
    """Construct it."""
    from livekit.agents import NOT_GIVEN
    from livekit.plugins import bey

    identity = context.identity or NOT_GIVEN
    return bey.AvatarSession(avatar_participant_identity=identity, **context.conn_options())


@hookimpl
def vendor_backend() -> plugin.VendorAPI:
    """Describe its one call."""
    transport = {"transport": {"const": "livekit"}}
    newest = session_api(
        "/v1/sessions",
        headers={"x-api-key": "{api_key}"},
        body=fields({**transport, "avatar_id": STRING, "url": STRING, "token": STRING}),
        room=RoomAccess("/url", "/token"),
        answer={"id": "{session}"},
        answer_ignored=True,
    )
    return as_installed(newest)
