"""Which livekit-agents is installed."""

from __future__ import annotations

import functools
import importlib.metadata


@functools.cache
def version() -> str:
    """The installed version, as messages name it. Nothing decides by it but the defect list."""
    return importlib.metadata.version("livekit-agents")
