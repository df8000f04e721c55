"""What the kit has to know of Acme: its settings, and what its API takes and answers."""

from __future__ import annotations

from conformance.plugin import STRING, Call, RoomAccess, VendorAPI, fields, hookimpl

BEARER = {"Authorization": "Bearer {api_key}"}


@hookimpl
def avatar_provider_manifest():
    return {
        "name": "acme",
        "distribution": "livekit-plugins-acme",
        "avatar_session": "livekit.plugins.acme:AvatarSession",
        "exception": "livekit.plugins.acme:AcmeException",
        "transport": "bytestream",
        "hosts": ["api.acme.example"],
        "sample_rate": 24000,
        "credentials": [{"name": "api_key", "environment": "ACME_API_KEY"}],
        "capabilities": {"ends_session": True, "restartable": True},
    }


@hookimpl
def create_avatar(context):
    from livekit.plugins.acme import AvatarSession

    return AvatarSession(api_key=context.secret("api_key") or None, identity=context.identity)


@hookimpl
def vendor_backend():
    return VendorAPI(
        Call(
            "open session",
            "POST",
            "/v1/sessions",
            headers=BEARER,
            body=fields({"livekit_url": STRING, "livekit_token": STRING}),
            room=RoomAccess("/livekit_url", "/livekit_token"),
            opens_session=True,
            answer={"id": "{session}"},
            needed_fields=("id",),
        ),
        Call(
            "end session",
            "DELETE",
            "/v1/sessions/{session}",
            headers=BEARER,
            ends_session=True,
            when="later",
        ),
    )
