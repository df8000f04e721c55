"""Simli: a call for a session token, then one that takes the token and the room."""

from __future__ import annotations

from conformance.plugin import STRING, AdapterContext, Call, RoomAccess, VendorAPI, fields, hookimpl

from ._deviations.simli import known_deviations as known_deviations

SESSION_TOKEN = "session-token-1"


@hookimpl
def avatar_provider_manifest() -> dict[str, object]:
    """Declare Simli. It reads no environment variable and has no exception of its own."""
    return {
        "name": "simli",
        "distribution": "livekit-plugins-simli",
        "avatar_session": "livekit.plugins.simli:AvatarSession",
        "exception": "builtins:Exception",
        "transport": "bytestream",
        "sample_rate": 16000,
        "identity": "simli-avatar-agent",
        "hosts": ["api.simli.ai"],
        "credentials": [{"name": "api_key"}],
        "capabilities": {"restartable": True},
    }


@hookimpl
def create_avatar(context: AdapterContext) -> object:
    """Construct it."""
    from livekit.agents import NOT_GIVEN
    from livekit.plugins import simli

    return simli.AvatarSession(
        simli_config=simli.SimliConfig(api_key=context.secret("api_key"), face_id="face-1"),
        avatar_participant_identity=context.identity or NOT_GIVEN,
        **context.conn_options(),
    )


@hookimpl
def vendor_backend() -> VendorAPI:
    """Describe the two calls; the second one must bring the token that the first one answered."""
    seconds = {"type": "integer", "minimum": 1}
    limits = {"maxSessionLength": seconds, "maxIdleTime": seconds}
    room = {"livekit_url": STRING, "livekit_token": STRING}
    return VendorAPI(
        Call(
            "compose token",
            "POST",
            "/compose/token",
            headers={"x-simli-api-key": "{api_key}"},
            body=fields({"faceId": STRING, "handleSilence": {"const": True}, **limits}),
            answer={"session_token": SESSION_TOKEN},
            needed_fields=("session_token",),
        ),
        Call(
            "start agent",
            "POST",
            "/integrations/livekit/agents",
            body=fields({"session_token": {"const": SESSION_TOKEN}, **room}),
            room=RoomAccess("/livekit_url", "/livekit_token"),
            opens_session=True,
            answer_ignored=True,
        ),
    )
