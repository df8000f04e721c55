"""Two plugins that were once certified by their deviations alone, and their adapters."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from conformance.plugin import Deviation, hookimpl
from conformance.reference.api import ReferenceError
from tests.mutants.mutant import SoundAdapter
from tests.mutants.robust import SoundAvatar


class NeverStarts(SoundAvatar):
    """A plugin whose start() always raises."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        raise ReferenceError("reference: out of order")


class ReplacesTheChain(SoundAvatar):
    """A plugin from before livekit-agents had a swap: it puts its sink in place of the chain."""

    def _bind(self) -> None:
        self._output.audio = self._sink()


class Excused(SoundAdapter):
    """An adapter that expects every failure of its plugin, as acme."""

    failing: ClassVar[Sequence[str]] = ()
    manifest: ClassVar[Mapping[str, Any]] = {"name": "acme"}

    @hookimpl
    def known_deviations(self) -> list[Deviation]:
        """List a deviation for each requirement that fails, as far ahead as one may be."""
        expires = datetime.date.today() + datetime.timedelta(days=365)
        told = ("it has always been so", "https://example.test/1", "acme", expires)
        return [Deviation(name, *told) for name in type(self).failing]


class NeverStartsAdapter(Excused):
    """Of the plugin that never starts."""

    avatar: Callable[..., Any] = NeverStarts
    failing = ("BIND-01", "FAULT-05")


class ReplacesTheChainAdapter(Excused):
    """Of the plugin that breaks every swap."""

    avatar: Callable[..., Any] = ReplacesTheChain
    failing = (
        "BIND-02",
        *(f"SWAP-{n:02}" for n in (1, 2, 3, 4, 5, 6, 7, 9, 11, 13)),
        *(f"PLAY-{n:02}" for n in (2, 3, 6, 7, 8, 9, 12, 13)),
        "FAULT-10",
    )
