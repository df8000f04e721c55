"""Which version of a plugin is installed, for what an adapter says differently of earlier ones."""

from __future__ import annotations

import importlib.metadata

from packaging.version import Version


def older(vendor: str, than: str) -> bool:
    """Whether a plugin older than this version is installed; False where none is installed."""
    try:
        installed = importlib.metadata.version(f"livekit-plugins-{vendor}")
    except importlib.metadata.PackageNotFoundError:
        return False
    return Version(installed) < Version(than)
