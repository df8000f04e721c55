"""Reading the room tokens that a provider minted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jwt

from conformance.plugin.room import Credentials

SIX_HOURS = 6 * 3600

GRANTS_AN_AVATAR_NEEDS_NOT = (
    "roomAdmin",
    "roomCreate",
    "roomList",
    "roomRecord",
    "ingressAdmin",
    "destinationRoom",
    "hidden",
    "recorder",
)


@dataclass(frozen=True)
class RoomToken:
    """A verified room token; ``lifetime`` is in seconds."""

    identity: str
    kind: str
    attributes: dict[str, str]
    grants: dict[str, Any]
    claims: dict[str, Any]
    lifetime: float

    @classmethod
    def read(cls, token: str, credentials: Credentials) -> RoomToken:
        """Decode ``token``; raises `jwt.InvalidTokenError` where it was not signed for this server.

        Read here, from the token itself, and not with livekit's own reader, which drops claims it
        does not know.
        """
        claims = jwt.decode(
            token, credentials.api_secret, algorithms=["HS256"], issuer=credentials.api_key
        )
        begins = claims.get("nbf", claims.get("iat", 0))
        return cls(
            identity=claims.get("sub", ""),
            kind=claims.get("kind", ""),
            attributes=claims.get("attributes") or {},
            grants=claims.get("video") or {},
            claims=claims,
            lifetime=claims.get("exp", float("inf")) - begins,
        )

    @property
    def excessive(self) -> list[str]:
        """Grants that an avatar has no use for."""
        extra = [name for name in GRANTS_AN_AVATAR_NEEDS_NOT if self.grants.get(name)]
        return extra + [name for name in ("sip", "inference") if self.claims.get(name)]
