"""HD-16: a frame that waits in a sink goes to the next one when that sink is replaced."""

from __future__ import annotations

from .mend import Mend, edits
from .sink_clock import IO

_COMMON = edits(
    IO,
    (
        """\
    @property
    def label(self) -> str:
        return self.__label

    @property
    def next_in_chain(self) -> AudioOutput | None:
""",
        """\
    @property
    def label(self) -> str:
        return self.__label

    @property
    def _segment_is_open(self) -> bool:
        \"""Whether a frame of a segment has been taken that is not flushed yet.\"""
        return self.__capturing

    @property
    def next_in_chain(self) -> AudioOutput | None:
""",
    ),
    (
        """\
        # uses this to decide if a new/old downstream should be notified
        self._attached = False
""",
        """\
        # uses this to decide if a new/old downstream should be notified
        self._attached = False
        # done when the sink is replaced that the first frame of a segment waits in
        self._sink_gone: asyncio.Future[None] | None = None
""",
    ),
    (
        """\
        old = self._next_in_chain
""",
        """\
        old = self._next_in_chain
        if self._sink_gone is not None and not self._sink_gone.done():
            # a frame that the old sink has taken stays there
            if old is not None and not old._segment_is_open:
                self._sink_gone.set_result(None)
""",
    ),
)


def _hand_over(moved: str) -> tuple[str, str]:
    """The method that a frame goes to the sink by; ``moved`` is done before it moves on."""
    return (
        """\
    def flush(self) -> None:
        super().flush()
        self.next_in_chain.flush()
""",
        f"""\
    async def _hand_over(self, frame: rtc.AudioFrame) -> None:
        \"""Give the frame to the sink, or to the one that replaces it before it has taken it.\"""
        while not self.next_in_chain._segment_is_open:
            gone = self._sink_gone = asyncio.get_running_loop().create_future()
            capture = asyncio.ensure_future(self.next_in_chain.capture_frame(frame))
            try:
                await asyncio.wait({{capture, gone}}, return_when=asyncio.FIRST_COMPLETED)
            except asyncio.CancelledError:
                capture.cancel()
                await asyncio.wait({{capture}})
                raise
            if capture.done():
                capture.result()
                return
            capture.cancel(){moved}
        await self.next_in_chain.capture_frame(frame)

    def flush(self) -> None:
        super().flush()
        self.next_in_chain.flush()
""",
    )


_NEWER = _COMMON + edits(
    IO,
    (
        """\
        self._pushed_duration += frame.duration
        await self.next_in_chain.capture_frame(frame)
""",
        """\
        self._pushed_duration += frame.duration
        await self._hand_over(frame)
""",
    ),
    _hand_over("\n            self._offset_base = self._pushed_duration - frame.duration"),
)
_OLDER = _COMMON + edits(
    IO,
    (
        """\
        await self.next_in_chain.capture_frame(frame)
        self._pushed_duration += frame.duration
""",
        """\
        await self._hand_over(frame)
        self._pushed_duration += frame.duration
""",
    ),
    _hand_over(""),
)

MEND = Mend(_NEWER, _OLDER)
