"""Providers that are known to be broken: a run in which one of them passes judges nobody.

Each is the reference provider with one defect, and says by which requirements it is seen.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from livekit import rtc
from livekit.agents import AgentSession

from conformance.plugin import AdapterContext, VendorAPI, hookimpl

from . import adapter as reference
from .api import ReferenceError
from .avatar import ReferenceAvatar

logger = logging.getLogger("livekit.plugins")


class BrokenAvatar(ReferenceAvatar):
    """A reference avatar with a defect; ``seen_by`` are requirements that it does not meet."""

    seen_by: ClassVar[tuple[str, ...]] = ()


class ReplacesTheChain(BrokenAvatar):
    """Puts its tail in place of the whole chain, as plugins did before there was a swap."""

    seen_by = (
        *("BIND-02", "SWAP-01", "SWAP-02", "SWAP-03", "SWAP-04", "SWAP-05", "SWAP-06", "SWAP-11"),
        *("SWAP-13", "PLAY-02", "PLAY-03", "PLAY-06"),
    )

    def _bind(self) -> None:
        self._output.audio = self._sink()


class StaysBehind(BrokenAvatar):
    """Does nothing when it is closed."""

    seen_by = ("SWAP-10", "UNBIND-04", "UNBIND-05", "UNBIND-07", "UNBIND-12")

    async def aclose(self) -> None:
        """Return."""


class LogsItsSettings(BrokenAvatar):
    """Writes into the log whatever it was given."""

    seen_by = ("SEC-01",)

    async def start(self, agent_session: AgentSession[Any], room: rtc.Room, **options: Any) -> None:
        """Log, and start."""
        logger.info("starting with %s", vars(self))
        await super().start(agent_session, room, **options)


class HidesFailures(BrokenAvatar):
    """Returns from start() as if nothing had happened when its vendor fails."""

    seen_by = ("FAULT-01",)

    async def start(self, agent_session: AgentSession[Any], room: rtc.Room, **options: Any) -> None:
        """Start, or not."""
        with suppress(ReferenceError, asyncio.TimeoutError):
            await super().start(agent_session, room, **options)


BROKEN: tuple[type[BrokenAvatar], ...] = (
    ReplacesTheChain,
    StaysBehind,
    LogsItsSettings,
    HidesFailures,
)


@dataclass(frozen=True)
class BrokenAdapter:
    """The adapter of a broken avatar under the ``name`` of another provider."""

    avatar: type[BrokenAvatar]
    name: str

    @hookimpl
    def avatar_provider_manifest(self) -> Mapping[str, Any]:
        """Declare it as the reference provider is, under the other's name."""
        session = f"{self.avatar.__module__}:{self.avatar.__name__}"
        declared = {**reference.avatar_provider_manifest(), "name": self.name}
        return {**declared, "avatar_session": session}

    @hookimpl
    def create_avatar(self, context: AdapterContext) -> Any:
        """Construct it."""
        return self.avatar(identity=context.identity, **context.conn_options())

    @hookimpl
    def vendor_backend(self) -> VendorAPI:
        """The reference vendor's."""
        return reference.vendor_backend()


__all__ = ["BROKEN", "BrokenAdapter", "BrokenAvatar"]
