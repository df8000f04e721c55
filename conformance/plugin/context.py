"""Context of an adapter's hooks: the identity to use, the canary credentials, the room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livekit.agents import APIConnectOptions

    from .player import Player


@dataclass(frozen=True)
class AdapterContext:
    """One avatar's surroundings in a check.

    ``identity`` is the participant identity that the avatar must use; None asks for the plugin's
    own default. ``secrets`` maps each credential of the manifest to its canary; a withheld one is
    missing. ``livekit_*`` are the arguments for ``start()``.
    """

    provider: str
    identity: str | None
    agent_identity: str
    room_name: str
    livekit_url: str
    livekit_api_key: str
    livekit_api_secret: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    player: Player | None = field(default=None, repr=False)
    """Plays what an in-process avatar is given; None for the other transports."""

    connect_options: APIConnectOptions | None = field(default=None, repr=False)
    """The host's connection options to construct the avatar with; None: the plugin's own."""
    asked: set[str] = field(default_factory=set, repr=False, compare=False)
    """What the adapter has asked for that not every plugin takes: ``conn_options``."""

    def conn_options(self, **own: Any) -> Mapping[str, Any]:
        """``own`` arguments of the constructor, with ``conn_options`` where a check asks for some.

        For a plugin that takes the host's connection options.
        """
        self.asked.add("conn_options")
        if self.connect_options is None:
            return own
        return {**own, "conn_options": self.connect_options}

    def secret(self, name: str) -> str:
        """The canary for the credential ``name``, or an empty string where it is withheld."""
        return self.secrets.get(name, "")
