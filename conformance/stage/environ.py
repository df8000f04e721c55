"""Environment variables for a while: set, set aside, and put back.

What the user of a shell has set for their own work is none of the vendor's defects: another
endpoint of the vendor's API, a proxy, a certificate store, a collector of telemetry.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from conformance.plugin.manifest import Manifest
from conformance.plugin.room import Credentials

_OF_TLS = {
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSLKEYLOGFILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "WEBSOCKET_CLIENT_CA_BUNDLE",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
}
_OF_A_PROXY = re.compile(r"(?i)(?:https?|wss?|all|no|grpc|ftp)_proxy")
_TELEMETRY = ("OTEL_", "SENTRY_", "DD_")
_SHORTEST_PREFIX = 3


@contextmanager
def environ(variables: Mapping[str, str | None]) -> Iterator[None]:
    """Set environment variables, or unset those that are None, and put them back afterwards."""
    saved = {name: os.environ.get(name) for name in variables}
    try:
        _apply(variables)
        yield
    finally:
        _apply(saved)


def ambient(environment: Iterable[str]) -> list[str]:
    """The variables of ``environment`` that are of TLS, of a proxy or of telemetry, by name."""
    return sorted(
        name
        for name in environment
        if name.upper() in _OF_TLS or _OF_A_PROXY.fullmatch(name) or name.startswith(_TELEMETRY)
    )


def of_plugin(manifest: Manifest, environment: Iterable[str]) -> list[str]:
    """The variables of ``environment`` that the plugin of ``manifest`` may read, by name.

    Those that it declares, and those that begin as they do, or with the provider's name.
    """
    declared = {c.environment for c in manifest.credentials if c.environment}
    vendor = re.split(r"[^A-Z0-9]", manifest.name.upper())[0]
    words = {vendor, *(name.partition("_")[0] for name in declared if "_" in name)}
    prefixes = tuple(f"{word}_" for word in words - {"LIVEKIT"} if len(word) >= _SHORTEST_PREFIX)
    return sorted(name for name in environment if name in declared or name.startswith(prefixes))


@contextmanager
def set_aside(names: Iterable[str]) -> Iterator[None]:
    """Unset these variables for the moment."""
    with environ(dict.fromkeys(names)):
        yield


@contextmanager
def server_environ(credentials: Credentials) -> Iterator[None]:
    """Let the environment name this LiveKit server and no other, and restore all of it afterwards.

    A job's own API client, with which an avatar's `aclose` removes its participant, reads it.
    """
    before = dict(os.environ)
    others: dict[str, str | None] = {name: None for name in before if name.startswith("LIVEKIT_")}
    others.update(dict.fromkeys(ambient(before)))
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


__all__ = ["ambient", "environ", "of_plugin", "server_environ", "set_aside"]
