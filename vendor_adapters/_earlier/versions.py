"""Which version of a plugin is installed, for what an adapter says differently of earlier ones."""

from __future__ import annotations

import functools
import importlib.metadata

from packaging.version import Version


def older(vendor: str, than: str) -> bool:
    """Whether a plugin older than this version is installed; False where none is installed."""
    found = installed(vendor)
    return found is not None and found < Version(than)


@functools.cache
def installed(vendor: str) -> Version | None:
    """The version that is installed; it stays for as long as the process does."""
    try:
        return Version(importlib.metadata.version(f"livekit-plugins-{vendor}"))
    except importlib.metadata.PackageNotFoundError:
        return None
