"""HD-02: a segment that the avatar does not report on ends where its playback was."""

from __future__ import annotations

from .mend import COUNTS_PENDING, Mend, edits

MEND = Mend(
    COUNTS_PENDING
    + edits(
        "livekit.agents.voice.avatar._datastream_io",
        (
            """\
        self._tasks: set[asyncio.Task[Any]] = set()

        self._started = False
""",
            """\
        self._tasks: set[asyncio.Task[Any]] = set()
        # how much each segment has that is not reported on yet, and since when the first plays
        self._segment_durations: list[float] = []
        self._playing_since: float | None = None

        self._started = False
""",
        ),
        (
            """\
            self._pushed_duration = 0.0
            if not self._wait_playback_start:
""",
            """\
            self._pushed_duration = 0.0
            self._segment_durations.append(0.0)
            if not self._wait_playback_start:
""",
        ),
        (
            """\
        self._pushed_duration += frame.duration
""",
            """\
        self._pushed_duration += frame.duration
        if self._segment_durations:
            self._segment_durations[-1] += frame.duration
""",
        ),
        ("self._clear_buffer_task(self._pushed_duration", "self._clear_buffer_task(self._played()"),
        (
            """\
        timeout = self._clear_buffer_timeout
        try:
""",
            """\
        timeout = self._clear_buffer_timeout
        pending = self._pending_playback_count
        try:
""",
        ),
        (
            "self.on_playback_finished(playback_position=pushed_duration, interrupted=True)",
            """\
self.on_playback_finished(
                    # only the one that was playing can have been heard
                    playback_position=(
                        pushed_duration if self._pending_playback_count == pending else 0.0
                    ),
                    interrupted=True,
                )""",
        ),
        (
            """\
    def resume(self) -> None:
        super().resume()
""",
            """\
    def _played(self) -> float:
        if self._playing_since is None or not self._segment_durations:
            return 0.0
        return max(0.0, min(self._segment_durations[0], time.time() - self._playing_since))

    def on_playback_started(self, *, created_at: float) -> None:
        if self._playing_since is None:
            self._playing_since = created_at
        super().on_playback_started(created_at=created_at)

    def on_playback_finished(
        self,
        *,
        playback_position: float,
        interrupted: bool,
        synchronized_transcript: str | None = None,
    ) -> None:
        if self._segment_durations:
            self._segment_durations.pop(0)
        behind = bool(self._segment_durations) and not self._wait_playback_start
        self._playing_since = time.time() if behind else None
        super().on_playback_finished(
            playback_position=playback_position,
            interrupted=interrupted,
            synchronized_transcript=synchronized_transcript,
        )

    def resume(self) -> None:
        super().resume()
""",
        ),
    )
)
