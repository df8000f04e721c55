"""What earlier Beyond Presence plugins do otherwise."""

from __future__ import annotations

from dataclasses import replace

from conformance.plugin import STRING, RoomAccess, VendorAPI, fields

from .versions import older

CHANGED = "1.8.9"


def as_installed(newest: VendorAPI) -> VendorAPI:
    """Before 1.8.9 there is another path, and the room's fields have LiveKit's name."""
    if not older("bey", CHANGED):
        return newest
    (session,) = newest.calls
    body = fields({"avatar_id": STRING, "livekit_url": STRING, "livekit_token": STRING})
    room = RoomAccess("/livekit_url", "/livekit_token")
    return VendorAPI(replace(session, path="/v1/session", body=body, room=room))
