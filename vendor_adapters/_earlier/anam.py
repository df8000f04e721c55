"""What earlier Anam plugins do otherwise."""

from __future__ import annotations

from dataclasses import replace

from conformance.plugin import VendorAPI, fields

from .versions import older

TOKEN = "session-token-1"


def as_installed(newest: VendorAPI) -> VendorAPI:
    """Before 1.8.1 persona and room are sent for a token, and the token alone for the session."""
    if not older("anam", "1.8.1"):
        return newest
    (session,) = newest.calls
    token = replace(
        session,
        name="create token",
        path="/v1/auth/session-token",
        opens_session=False,
        answer={"sessionToken": TOKEN},
        needed_fields=("sessionToken",),
    )
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    return VendorAPI(token, replace(session, headers=bearer, body=fields({}), room=None))
