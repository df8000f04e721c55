"""The adapter of the reference provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.plugin import STRING, AdapterContext, Call, RoomAccess, VendorAPI, fields, hookimpl


@hookimpl
def avatar_provider_manifest() -> Mapping[str, Any]:
    """Declare the reference provider."""
    return {
        "name": "reference",
        "distribution": "avatar-conformance",
        "avatar_session": "conformance.reference.avatar:ReferenceAvatar",
        "exception": "conformance.reference.api:ReferenceError",
        "transport": "bytestream",
        "sample_rate": 24000,
        "hosts": ["api.reference.test"],
        "credentials": [{"name": "api_key", "environment": "REFERENCE_API_KEY"}],
        "capabilities": {
            "ends_session": True,
            "restartable": True,
            "playback_started": True,
        },
    }


@hookimpl
def create_avatar(context: AdapterContext) -> Any:
    """Construct it."""
    from .avatar import ReferenceAvatar

    return ReferenceAvatar(identity=context.identity, **context.conn_options())


@hookimpl
def vendor_backend() -> VendorAPI:
    """Describe its API: open and end a session."""
    bearer = {"Authorization": "Bearer {api_key}"}
    return VendorAPI(
        Call(
            "open session",
            "POST",
            "/v1/sessions",
            headers=bearer,
            body=fields({"livekit_url": STRING, "livekit_token": STRING, "identity": STRING}),
            room=RoomAccess("/livekit_url", "/livekit_token", identity="/identity"),
            opens_session=True,
            answer={"session_id": "{session}"},
            needed_fields=("session_id",),
        ),
        Call(
            "end session",
            "DELETE",
            "/v1/sessions/{session}",
            headers=bearer,
            ends_session=True,
            when="later",
        ),
    )
