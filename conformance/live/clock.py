"""Real time, as the stage's clock."""

from __future__ import annotations

import asyncio
import time

from .loop import RealTimeLoop


class RealClock:
    """Seconds since it was made, by the operating system's monotonic clock, on ``loop``."""

    virtual = False

    def __init__(self, loop: RealTimeLoop) -> None:
        self.loop = loop
        self._since = time.monotonic()

    def now(self) -> float:
        """Seconds since the clock was made."""
        return time.monotonic() - self._since

    async def sleep(self, seconds: float) -> None:
        """Wait for that many real seconds."""
        await asyncio.sleep(seconds)
