"""Context of an adapter's hooks: the identity to use, the canary credentials, the room."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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

    def secret(self, name: str) -> str:
        """The canary for the credential ``name``, or an empty string where it is withheld."""
        return self.secrets.get(name, "")
