"""LiveKit Inference's own avatar: a gateway opens the session, and mints the token itself."""

from __future__ import annotations

from typing import Any

from conformance.plugin import (
    STRING,
    AdapterContext,
    Call,
    MintedAccess,
    VendorAPI,
    fields,
    hookimpl,
)

from ._deviations.inference import known_deviations as known_deviations

PROVIDER = {"X-LiveKit-Inference-Provider": "lemonslice"}


@hookimpl
def avatar_provider_manifest() -> dict[str, object]:
    """Declare it. Its credentials are those of the room's server."""
    return {
        "name": "inference",
        "distribution": "livekit-agents",
        "avatar_session": "livekit.agents.inference.avatar:AvatarSession",
        "exception": "builtins:ValueError",
        "transport": "bytestream",
        "sample_rate": 16000,
        "identity": "lemonslice-inference-avatar",
        "hosts": ["agent-gateway.livekit.cloud"],
        "capabilities": {"ends_session": True, "playback_started": True},
    }


@hookimpl
def create_avatar(context: AdapterContext) -> object:
    """Construct it."""
    from livekit.agents import NOT_GIVEN
    from livekit.agents.inference.avatar import AvatarSession

    who = context.conn_options(
        avatar_participant_identity=context.identity or NOT_GIVEN,
        api_key=context.livekit_api_key or NOT_GIVEN,
        api_secret=context.livekit_api_secret or NOT_GIVEN,
    )
    return AvatarSession("lemonslice/agent-1", **who)


@hookimpl
async def bind_audio_endpoint(
    avatar: Any, agent_session: Any, room: Any, context: AdapterContext
) -> None:
    """Start it: the URL is all that it takes of the room's server."""
    url = {"livekit_url": context.livekit_url} if context.livekit_url else {}
    await avatar.start(agent_session, room=room, **url)


@hookimpl
def vendor_backend(context: AdapterContext) -> VendorAPI:
    """Describe the two calls of the gateway."""
    room = {"room_name": {"const": context.room_name}, "room_sid": STRING, "livekit_url": STRING}
    who = {"avatar_identity": STRING, "avatar_name": STRING}
    agent = {"agent_identity": {"const": context.agent_identity}}
    what = {"provider": {"const": "lemonslice"}, "avatar_id": {"const": "agent-1"}}
    ending = {"provider": {"const": "lemonslice"}, "provider_session_id": STRING}
    return VendorAPI(
        Call(
            "create session",
            "POST",
            "/v1/avatar/sessions",
            headers=PROVIDER,
            body=fields({**what, **room, **who, **agent}),
            room=MintedAccess(identity="/avatar_identity"),
            opens_session=True,
            idempotency="header:Idempotency-Key",
            answer={
                "session_id": "avatar-session-1",
                "provider_session_id": "{session}",
                "terminate_token": "terminate-1",
                "sample_rate": 16000,
            },
        ),
        Call(
            "terminate session",
            "POST",
            "/v1/avatar/sessions/terminate",
            headers=PROVIDER,
            session="/provider_session_id",
            body=fields({**ending, "terminate_token": {"const": "terminate-1"}}),
            ends_session=True,
            when="later",
        ),
    )
