"""Canary credentials: made for the run, and easy to find wherever they leak."""

from __future__ import annotations

import hashlib

from conformance.plugin.manifest import Manifest

_PREFIX = "canary"


def canary(provider: str, name: str) -> str:
    """The canary for one credential of a provider: the same in every run, unlike any word."""
    digest = hashlib.sha256(f"{provider}/{name}".encode()).hexdigest()
    return f"{_PREFIX}-{provider}-{name.replace('_', '-')}-{digest[:24]}"


def secrets_of(manifest: Manifest) -> dict[str, str]:
    """A canary for every credential that the manifest names."""
    return {c.name: canary(manifest.name, c.name) for c in manifest.credentials}
