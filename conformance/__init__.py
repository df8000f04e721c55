"""Certify that an avatar plugin for livekit-agents can be started and exchanged mid-session."""

from __future__ import annotations

__version__ = "0.1.0"
