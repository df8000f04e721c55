"""Anam: one call, byte streams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.plugin import (
    STRING,
    AdapterContext,
    Call,
    RoomAccess,
    VendorAPI,
    fields,
    hookimpl,
)


@hookimpl
def avatar_provider_manifest() -> Mapping[str, Any]:
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
def create_avatar(context: AdapterContext) -> Any:
    """Construct it."""
    from livekit.agents import NOT_GIVEN
    from livekit.plugins import anam

    return anam.AvatarSession(
        persona_config=anam.PersonaConfig(name="Conformance", avatarId="avatar-1"),
        avatar_participant_identity=context.identity or NOT_GIVEN,
    )


@hookimpl
def vendor_backend() -> VendorAPI:
    """Describe the one call that it makes."""
    persona = fields(
        {
            "type": {"const": "ephemeral"},
            "name": STRING,
            "avatarId": STRING,
            "llmId": {"const": "CUSTOMER_CLIENT_V1"},
        }
    )
    environment = fields({"livekitUrl": STRING, "livekitToken": STRING})
    return VendorAPI(
        Call(
            "create session",
            "POST",
            "/v1/engine/session",
            headers={"Authorization": "Bearer {api_key}"},
            body=fields({"personaConfig": persona, "environment": environment}),
            room=RoomAccess("/environment/livekitUrl", "/environment/livekitToken"),
            opens_session=True,
            answer={"sessionId": "{session}"},
        )
    )
