"""Environment variables for a while: set, and put back."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from conformance.plugin.room import Credentials


@contextmanager
def environ(variables: Mapping[str, str | None]) -> Iterator[None]:
    """Set environment variables, or unset those that are None, and put them back afterwards."""
    saved = {name: os.environ.get(name) for name in variables}
    try:
        _apply(variables)
        yield
    finally:
        _apply(saved)


@contextmanager
def server_environ(credentials: Credentials) -> Iterator[None]:
    """Let the environment name this LiveKit server and no other, and restore all of it afterwards.

    A job's own API client, with which an avatar's `aclose` removes its participant, reads it.
    """
    before = dict(os.environ)
    others: dict[str, str | None] = {name: None for name in before if name.startswith("LIVEKIT_")}
    own = {
        "LIVEKIT_URL": credentials.url,
        "LIVEKIT_API_KEY": credentials.api_key,
        "LIVEKIT_API_SECRET": credentials.api_secret,
    }
    try:
        with environ({**others, **own}):
            yield
    finally:
        added = dict.fromkeys(set(os.environ) - set(before))
        _apply({**added, **before})


def _apply(variables: Mapping[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        elif os.environ.get(name) != value:
            os.environ[name] = value


__all__ = ["environ", "server_environ"]
