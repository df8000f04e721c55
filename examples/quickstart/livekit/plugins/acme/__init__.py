"""Acme avatars for LiveKit Agents."""

from __future__ import annotations

from livekit.agents import Plugin

from .avatar import AcmeException, AvatarSession, logger

__all__ = ["AcmeException", "AvatarSession"]
__version__ = "0.1.0"


class AcmePlugin(Plugin):
    """The plugin as livekit-agents knows it."""

    def __init__(self) -> None:
        super().__init__(__name__, __version__, "livekit-plugins-acme", logger)


Plugin.register_plugin(AcmePlugin())
