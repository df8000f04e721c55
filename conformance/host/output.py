"""The host's chain of audio outputs from inside: what a swap point needs to be put into it."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from livekit import rtc
from livekit.agents.voice import io

from .events import is_swap_point, listeners

_EVENTS = ("playback_finished", "playback_started", "playback_progressed")

if TYPE_CHECKING:
    _SwapPointOfHost = io.AudioOutput
else:
    _SwapPointOfHost = getattr(io, "_AudioSinkProxy", io.AudioOutput)


class ChainLink(_SwapPointOfHost):
    """An audio output whose next one in the chain can be exchanged.

    To a host that has swap points of its own it is one: `AgentOutput.replace_audio_tail` finds it
    and calls `set_next_in_chain`. Nothing else of the host's swap point is used.
    """

    # None only while the base class is being constructed, which would listen to it otherwise
    _next_in_chain: io.AudioOutput = None  # type: ignore[assignment]
    _attached: bool

    def __init__(self, *, label: str, next_in_chain: io.AudioOutput) -> None:
        io.AudioOutput.__init__(
            self, label=label, capabilities=io.AudioOutputCapabilities(pause=True)
        )
        self._next_in_chain = next_in_chain

    @property
    def next_in_chain(self) -> io.AudioOutput:
        """The output below."""
        return self._next_in_chain

    def replace_tail(self, sink: io.AudioOutput | None) -> None:
        """Put ``sink`` in place of the output below."""
        raise NotImplementedError

    def set_next_in_chain(self, new: io.AudioOutput) -> None:
        """Exchange the output below, as the host asks for it."""
        self.replace_tail(new)

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Count the segment that begins with ``frame``."""
        await io.AudioOutput.capture_frame(self, frame)

    def flush(self) -> None:
        """End the segment that is being captured."""
        io.AudioOutput.flush(self)

    def on_attached(self) -> None:
        """Attach what is below."""
        io.AudioOutput.on_attached(self)

    def on_detached(self) -> None:
        """Detach what is below."""
        io.AudioOutput.on_detached(self)


@dataclass(frozen=True)
class Playback:
    """Playback state of a chain at one moment.

    ``pending`` segments have not finished, the last of them is still being captured if
    ``capturing``. ``pushed`` is the audio that the tail has got of that last one, in seconds;
    ``started_at`` the moment (`time.time`) at which the tail said that it began, ``played`` how
    far it reported progress; each None when nobody in the chain knows. ``paused_for`` is how long
    the last one has stood still by now, and ``paused_since`` the beginning of a pause that lasts.
    """

    pending: int
    capturing: bool
    paused: bool
    pushed: float | None
    started_at: float | None
    played: float | None
    paused_for: float = 0.0
    paused_since: float | None = None


def chain_of(root: io.AudioOutput | None) -> Iterator[io.AudioOutput]:
    """The outputs from ``root`` down to the tail."""
    while root is not None:
        yield root
        root = root.next_in_chain


def pending_segments(output: io.AudioOutput) -> int:
    """How many segments ``output`` was given that have not finished."""
    return captured_segments(output) - int(_own(output, "playback_finished_count"))


def captured_segments(output: io.AudioOutput) -> int:
    """How many segments ``output`` has ever taken frames of."""
    return int(_own(output, "playback_segments_count"))


def is_capturing(output: io.AudioOutput) -> bool:
    """Whether a segment of ``output`` has begun and was not flushed."""
    return bool(_own(output, "capturing"))


def playback_of(wrappers: Sequence[io.AudioOutput], tail: io.AudioOutput) -> Playback:
    """What the ``wrappers`` above ``tail`` (top first, one at least) know of its playback.

    The host's own swap point is not counted among the ``wrappers``.
    """
    above = wrappers[-1]
    proxy = _own_swap_point(above)
    outputs = (above, tail) if proxy is None else (proxy,)
    synchronizer, synced = _synchronizer(wrappers)
    impl = getattr(synchronizer, "_impl", None)
    if impl is not None and impl.closed:
        impl = None
    started_at = getattr(proxy, "_sink_started_at", None)
    if started_at is None and impl is not None:
        started_at = impl._start_wall_time
    pushed = getattr(synced if proxy is None else proxy, "_pushed_duration", None)
    if pushed is not None:
        pushed -= getattr(proxy, "_offset_base", 0.0)
    return Playback(
        pending=max(pending_segments(output) for output in outputs),
        capturing=any(is_capturing(output) for output in outputs),
        paused=bool(getattr(synchronizer, "_paused", False)),
        pushed=pushed,
        started_at=started_at,
        played=getattr(proxy, "_sink_played", None),
        paused_for=getattr(impl, "_paused_duration", 0.0),
        paused_since=getattr(impl, "_paused_wall_time", None),
    )


def splice(link: ChainLink, *, above: io.AudioOutput, playback: Playback) -> bool:
    """Put ``link`` below ``above``, unnoticed by it, in place of a swap point of the host's.

    Nothing is flushed, cleared, attached or reported. ``link`` takes over the open segments of
    ``playback``. Returns False, having changed nothing, when ``above`` keeps the output below it
    where it cannot be exchanged.
    """
    below = above.next_in_chain
    fields = [name for name, value in vars(above).items() if value is below]
    if below is None or not fields:
        return False
    for name in fields:
        setattr(above, name, link)
    proxy = _own_swap_point(above, below)
    for event in _EVENTS:
        for listener in listeners(below, event):
            if proxy is not None or _belongs_to(listener, above):
                below.off(event, listener)  # type: ignore[arg-type]
                link.on(event, listener)  # type: ignore[arg-type]
        if proxy is not None:
            for listener in listeners(link.next_in_chain, event):
                if _belongs_to(listener, proxy):
                    link.next_in_chain.off(event, listener)  # type: ignore[arg-type]
    _set_own(link, "playback_segments_count", playback.pending)
    _set_own(link, "playback_finished_count", 0)
    _set_own(link, "capturing", playback.capturing)
    return True


def follow_sample_rate(root: io.AudioOutput, point: ChainLink) -> None:
    """Make the host's own wrappers ask for the rate of ``point`` where they keep a copy of it.

    Up to livekit-agents 1.6.0 they copy it once, at construction; later ones look it up.
    """
    if hasattr(io, "_AudioSinkProxy"):
        return
    for wrapper in chain_of(root):
        if wrapper is point:
            return
        if type(wrapper).__module__.startswith("livekit.agents."):
            wrapper._sample_rate = point.sample_rate


def has_progress_events() -> bool:
    """Whether audio outputs of this host report what has played (`playback_progressed`)."""
    return hasattr(io.AudioOutput, "on_playback_progressed")


def report_progress(
    output: io.AudioOutput, *, started_at: float, offset: float, duration: float
) -> None:
    """Report a stretch that has played, on hosts that have such reports."""
    if has_progress_events():
        output.on_playback_progressed(started_at=started_at, offset=offset, duration=duration)


def is_cancelled_capture(event: io.PlaybackFinishedEvent) -> bool:
    """Whether ``event`` ends a segment that the tail never counted."""
    cancelled = getattr(io, "_CaptureCancelledEvent", None)
    return cancelled is not None and isinstance(event, cancelled)


def finish_cancelled_capture(output: io.AudioOutput) -> None:
    """End a segment of ``output`` that wrappers above it may not have counted."""
    cancelled = getattr(io, "_CaptureCancelledEvent", None)
    if cancelled is not None:
        output._dispatch_playback_finished(cancelled(playback_position=0.0, interrupted=True))
    else:
        output.on_playback_finished(playback_position=0.0, interrupted=True)


_Capture = Callable[[io.AudioOutput, rtc.AudioFrame], Awaitable[None]]


def hand_over_by(
    hand_over: Callable[[_Capture, io.AudioOutput, rtc.AudioFrame], Awaitable[None]],
) -> Callable[[], None]:
    """Make ``hand_over`` call the ``capture_frame`` of the host's own swap points, in its stead.

    Returns the function that takes it back.
    """
    proxy = getattr(io, "_AudioSinkProxy", None)
    if proxy is None:
        return lambda: None
    plain = proxy.capture_frame

    @functools.wraps(plain)
    async def capture_frame(self: io.AudioOutput, frame: rtc.AudioFrame) -> None:
        await hand_over(plain, self, frame)

    proxy.capture_frame = capture_frame
    return lambda: setattr(proxy, "capture_frame", plain)


def listening_swap_points(tail: io.AudioOutput) -> list[io.AudioOutput]:
    """The attached swap points of the host's own that have ``tail`` below them."""
    owners = (getattr(each, "__self__", None) for each in listeners(tail, "playback_finished"))
    return [
        owner
        for owner in owners
        if isinstance(owner, io.AudioOutput)
        and is_swap_point(owner)
        and getattr(owner, "_attached", False)
    ]


def _own_swap_point(
    above: io.AudioOutput, below: io.AudioOutput | None = None
) -> io.AudioOutput | None:
    """The host's own swap point below ``above``, if it has put one there."""
    below = above.next_in_chain if below is None else below
    if below is None or isinstance(below, ChainLink) or not is_swap_point(below):
        return None
    return below


def _own(output: io.AudioOutput, name: str) -> Any:
    return getattr(output, f"_AudioOutput__{name}")


def _set_own(output: io.AudioOutput, name: str, value: object) -> None:
    setattr(output, f"_AudioOutput__{name}", value)


def _synchronizer(
    wrappers: Sequence[io.AudioOutput],
) -> tuple[Any, io.AudioOutput | None]:
    for wrapper in wrappers:
        synchronizer = getattr(wrapper, "_synchronizer", None)
        if synchronizer is not None:
            return synchronizer, wrapper
    return None, None


def _belongs_to(listener: Any, owner: io.AudioOutput) -> bool:
    """Whether ``listener`` is a method of ``owner``, or a closure that the host made for it."""
    if getattr(listener, "__self__", None) is owner:
        return True
    if not getattr(listener, "__qualname__", "").startswith("AudioOutput.__init__."):
        return False
    return any(cell.cell_contents is owner for cell in listener.__closure__ or ())
