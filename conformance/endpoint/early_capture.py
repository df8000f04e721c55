"""Frames that wait in a tail above which only the host's own swap point stands.

The host's swap point awaits its tail, and nothing but the tail ends that: a frame that waits there
for an avatar which never joins would keep its speech, and every later one, for ever. So the host's
swap points hand frames over by a `Capture`, from the import of `conformance.endpoint` on, and a
`SwapPoint` that takes the place of one takes over what waits there. Nothing else of them changes.

A certification judges the host and the plugins as they are without that: see `host_watched`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from livekit import rtc
from livekit.agents.voice import io

from conformance import host

from .capture import Capture
from .offer import Offer, segments_counted

_waiting: set[WaitingFrame] = set()


class WaitingFrame:
    """A frame that a tail below the host's swap point ``at`` has not taken yet."""

    def __init__(
        self, at: io.AudioOutput, frame: rtc.AudioFrame, counts: list[int] | None, capture: Capture
    ) -> None:
        self.at = at
        self.frame = frame
        self.counts = counts
        self.offer: Offer | None = None
        self._capture = capture

    def adopt(self, offer: Offer, under_way: set[Capture]) -> None:
        """Go on as a frame of the swap point that has taken the place of the host's."""
        self.offer = offer
        self._capture.move(under_way)


def frames_waiting_at(point: io.AudioOutput | None) -> list[WaitingFrame]:
    """The frames that wait below the host's swap point ``point``."""
    return [frame for frame in _waiting if frame.at is point and frame.offer is None]


async def hand_over(
    plain: Callable[[io.AudioOutput, rtc.AudioFrame], Awaitable[None]],
    point: io.AudioOutput,
    frame: rtc.AudioFrame,
) -> None:
    """Do as the host's swap point ``point`` does by ``plain``, in a way that can be left."""
    counts = None if host.is_capturing(point) else segments_counted(_tail(point))
    capture = Capture.begin(plain(point, frame), _under_way)
    if capture is None:
        return
    waiting = WaitingFrame(point, frame, counts, capture)
    _waiting.add(waiting)
    taken = refused = False
    try:
        taken = await capture
    except Exception:
        if waiting.offer is None or waiting.offer.tap.bound:
            raise
    finally:
        _waiting.discard(waiting)
        if waiting.offer is not None:
            refused = waiting.offer.refused(taken)
    if refused and waiting.offer is not None:
        await waiting.offer.point.offer_again(waiting.offer)


_under_way: set[Capture] = set()


def _tail(point: io.AudioOutput) -> io.AudioOutput:
    tail = point.next_in_chain
    assert tail is not None, "the host's swap point has no tail"
    return tail


_give_back: Callable[[], None] | None = None
"""Gives the host's swap points their own method back; None while they have it."""


def watch_host() -> None:
    """Make the host's swap points hand frames over in a way that can be left."""
    global _give_back
    if _give_back is None:
        _give_back = host.hand_over_by(hand_over)


def leave_host_alone() -> None:
    """Give the host's swap points their own method back; frames that wait there can't be left."""
    global _give_back
    if _give_back is not None:
        _give_back()
        _give_back = None


@contextmanager
def host_watched(watched: bool) -> Iterator[None]:
    """Watch the host's swap points meanwhile, or leave them alone; then do as before."""
    before = _give_back is not None
    (watch_host if watched else leave_host_alone)()
    try:
        yield
    finally:
        (watch_host if before else leave_host_alone)()


watch_host()
