"""Canary credentials: made for the run, and easy to find wherever they leak."""

from __future__ import annotations

from functools import cache

from conformance.plugin.manifest import Manifest
from conformance.stage.canary import SECRET, issue


@cache
def canary(provider: str, name: str) -> str:
    """The canary for one credential of a provider: the same all through a run, and in no other."""
    return issue(SECRET)


def secrets_of(manifest: Manifest) -> dict[str, str]:
    """A canary for every credential that the manifest names."""
    return {c.name: canary(manifest.name, c.name) for c in manifest.credentials}
