"""How long the current sink of a swap point has been playing, on hosts that do not keep it."""

from __future__ import annotations

from .mend import edits

IO = "livekit.agents.voice.io"

KEEPS_SINK_START = edits(
    IO,
    ("import asyncio\n", "import asyncio\nimport time\n"),
    (
        """\
        self._attached = False
        self.set_next_in_chain(next_in_chain)
""",
        """\
        self._attached = False
        self._sink_started_at: float | None = None
        self._capturing = False
        self._pushed_duration = 0.0
        self.set_next_in_chain(next_in_chain)
""",
    ),
    (
        """\
            self._pushed_duration = 0.0

        await super()""",
        """\
            self._pushed_duration = 0.0
            if not self._pending_playback_count:
                self._sink_started_at = None

        await super()""",
    ),
    (
        """\
    @property
    def sample_rate(self) -> int | None:
        return self.next_in_chain.sample_rate
""",
        """\
    def _forward_next_playback_started(self, ev: PlaybackStartedEvent) -> None:
        if self._sink_started_at is None or self._pending_playback_count == 1:
            self._sink_started_at = ev.created_at
        super()._forward_next_playback_started(ev)

    def _take_played(self) -> float:
        \"""How long the sink has been playing what it has; what is behind that has not begun.\"""
        started_at, self._sink_started_at = self._sink_started_at, None
        if started_at is None:
            return 0.0
        return max(0.0, min(self._pushed_duration, time.time() - started_at))

    @property
    def sample_rate(self) -> int | None:
        return self.next_in_chain.sample_rate
""",
    ),
)
"""The part that the mends of HD-07, HD-12 and HD-14 share where the host has none of it."""
