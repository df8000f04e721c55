"""The manifest: what a provider declares of itself, as an adapter returns it and as a value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Transport = Literal["bytestream", "websocket", "in-process"]


@dataclass(frozen=True)
class Bounds:
    """How long the provider may take, in seconds of the stage's clock."""

    start: float = 60.0
    close: float = 30.0
    playout: float = 30.0


@dataclass(frozen=True)
class Capabilities:
    """Capabilities that the provider claims; a claim that does not hold fails its requirement."""

    ends_session: bool = False
    """After ``aclose()`` the vendor's remote session is over: the plugin tells the vendor, or the
    vendor sees that its participant is gone (``ends_with_worker`` of the `Call`)."""
    restartable: bool = False
    """The same instance can be started again after ``aclose()``."""
    playback_started: bool = False
    """playback_started comes from the avatar, not from the moment the audio was pushed."""
    pause: bool = False
    """The tail can pause and resume."""
    joins_room: bool = True
    """The avatar is a participant of its own (false: the agent itself publishes the video)."""
    real_time: bool = False
    """The plugin does long work in a child process or a thread, or keeps time where the kit cannot
    see it: its checks are played in real time, which takes as long as the avatar speaks."""


_OF_A_SECRET = re.compile(r"(?i)(?:key|secret|token|password|passphrase|credentials?)$")


@dataclass(frozen=True)
class Credential:
    """A secret or setting that the provider needs. ``environment`` is the variable it reads."""

    name: str
    environment: str | None = None
    secret: bool = True

    @property
    def is_secret(self) -> bool:
        """Whether it must stay secret: as declared, and whatever is called a key or a token."""
        names = (self.name, self.environment or "")
        return self.secret or any(_OF_A_SECRET.search(name) for name in names)


@dataclass(frozen=True)
class Manifest:
    """A provider's manifest.

    ``avatar_session`` and ``exception`` are import paths (``livekit.plugins.acme:AvatarSession``);
    ``exception`` is what the plugin raises when a setting is missing. ``hosts`` are the names that
    the plugin may contact. ``sample_rate`` is in Hz; None accepts any rate. ``identity`` is the
    plugin's own default for its participant.
    """

    name: str
    distribution: str
    avatar_session: str
    exception: str
    transport: Transport
    hosts: tuple[str, ...]
    sample_rate: int | None = None
    channels: int = 1
    identity: str | None = None
    credentials: tuple[Credential, ...] = ()
    bounds: Bounds = field(default_factory=Bounds)
    capabilities: Capabilities = field(default_factory=Capabilities)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Manifest:
        """Build the value from data that the manifest schema has accepted."""
        values = dict(data)
        values["hosts"] = tuple(values["hosts"])
        values["credentials"] = tuple(Credential(**c) for c in values.get("credentials", ()))
        values["bounds"] = Bounds(**values.get("bounds", {}))
        values["capabilities"] = Capabilities(**values.get("capabilities", {}))
        return cls(**values)

    def to_json(self) -> dict[str, Any]:
        """The value as the manifest schema describes it."""
        values = asdict(self)
        values["hosts"] = list(self.hosts)
        values["credentials"] = [asdict(credential) for credential in self.credentials]
        return values
