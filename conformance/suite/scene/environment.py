"""Surroundings of a scene: participants, their tokens, and the environment variables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from livekit import api

from conformance.plugin.manifest import Manifest
from conformance.stage.canary import issue
from conformance.stage.interface import Stage

AGENT = "agent"
USER = "user"
ROOM = issue("<room>", digits=12)


def mint(stage: Stage, identity: str, *, kind: str) -> str:
    """A room token as an application mints it for its agent or its user."""
    credentials = stage.server.credentials
    token = (
        api.AccessToken(credentials.api_key, credentials.api_secret)
        .with_identity(identity)
        .with_name(identity)
        .with_ttl(timedelta(hours=1))
        .with_grants(api.VideoGrants(room_join=True, room=ROOM, can_update_own_metadata=True))
    )
    if kind == "agent":
        token = token.with_kind("agent")
    return token.to_jwt()


def credential_variables(manifest: Manifest, secrets: Mapping[str, str]) -> dict[str, str | None]:
    """The environment variables through which ``manifest`` takes its credentials."""
    return {c.environment: secrets.get(c.name) for c in manifest.credentials if c.environment}
