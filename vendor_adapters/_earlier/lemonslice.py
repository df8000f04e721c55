"""What earlier LemonSlice plugins do otherwise."""

from __future__ import annotations

from dataclasses import replace

from conformance.plugin import STRING, VendorAPI, fields

from .versions import older

CHANGED = "1.8.9"


def sample_rate() -> int:
    """In Hz."""
    return 16000 if older("lemonslice", CHANGED) else 24000


def as_installed(newest: VendorAPI) -> VendorAPI:
    """Before 1.8.9 the rate is not sent, and before 1.6.5 the LiveKit session is not either."""
    if not older("lemonslice", CHANGED):
        return newest
    room = {"livekit_url": STRING, "livekit_token": STRING}
    if not older("lemonslice", "1.6.5"):
        room["livekit_session_id"] = STRING
    fixed = {"transport_type": {"const": "livekit"}, "agent_id": {"const": "agent-1"}}
    (session,) = newest.calls
    return VendorAPI(replace(session, body=fields({**fixed, "properties": fields(room)})))
