"""Anam: one call, byte streams."""

from __future__ import annotations

from conformance import plugin
from conformance.plugin import STRING, AdapterContext, RoomAccess, fields, hookimpl, session_api

from ._deviations.anam import known_deviations as known_deviations
from ._earlier.anam import as_installed


@hookimpl
def avatar_provider_manifest() -> dict[str, object]:
    """Declare Anam."""
    return {
        "name": "anam",
        "distribution": "livekit-plugins-anam",
        "avatar_session": "livekit.plugins.anam:AvatarSession",
        "exception": "livekit.plugins.anam:AnamException",
        "transport": "bytestream",
        "sample_rate": 24000,
        "identity": "anam-avatar-agent",
        "hosts": ["api.anam.ai"],
        "credentials": [{"name": "api_key", "environment": "ANAM_API_KEY"}],
        "capabilities": {"playback_started": True, "restartable": True},
    }


@hookimpl
def create_avatar(context: AdapterContext) -> object:
    """Construct it."""
    from livekit.agents import NOT_GIVEN
    from livekit.plugins import anam

    persona = anam.PersonaConfig(name="Conformance", avatarId="avatar-1")
    who = context.conn_options(avatar_participant_identity=context.identity or NOT_GIVEN)
    return anam.AvatarSession(persona_config=persona, **who)


@hookimpl
def vendor_backend() -> plugin.VendorAPI:
    """Describe its one call."""
    fixed = {"type": {"const": "ephemeral"}, "llmId": {"const": "CUSTOMER_CLIENT_V1"}}
    persona = fields({**fixed, "name": STRING, "avatarId": STRING})
    environment = fields({"livekitUrl": STRING, "livekitToken": STRING})
    newest = session_api(
        "/v1/engine/session",
        headers={"Authorization": "Bearer {api_key}"},
        body=fields({"personaConfig": persona, "environment": environment}),
        room=RoomAccess("/environment/livekitUrl", "/environment/livekitToken"),
        answer={"sessionId": "{session}"},
    )
    return as_installed(newest)
