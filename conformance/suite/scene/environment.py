"""Surroundings of a scene: participants, their tokens, and the environment variables."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta

from livekit import api

from conformance.plugin.manifest import Manifest
from conformance.stage.interface import Stage

AGENT = "agent"
USER = "user"
ROOM = "conformance"


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


@contextmanager
def environment(variables: Mapping[str, str | None]) -> Iterator[None]:
    """Set environment variables, or unset those that are None, and put them back afterwards."""
    saved = {name: os.environ.get(name) for name in variables}
    try:
        _apply(variables)
        yield
    finally:
        _apply(saved)


def _apply(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def credential_variables(manifest: Manifest, secrets: Mapping[str, str]) -> dict[str, str | None]:
    """The environment variables through which ``manifest`` takes its credentials."""
    return {c.environment: secrets.get(c.name) for c in manifest.credentials if c.environment}
