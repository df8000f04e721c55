"""Binding an audio endpoint below the wrappers of a chain, and unbinding only one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from weakref import ReferenceType, WeakKeyDictionary, ref

from livekit.agents.voice import io

from conformance import host

from .early_capture import frames_waiting_at
from .swap_point import SwapPoint, Unbound
from .tail_listener import TailListener


@dataclass(frozen=True, eq=False)
class Binding:
    """An endpoint that a caller has bound to ``output``; ``sink`` is None for an unbinding.

    It is `owner` until anybody binds something else, by whichever way.
    """

    output: io.AgentOutput
    sink: io.AudioOutput | None
    _call: object = field(default_factory=object, repr=False)

    @property
    def owner(self) -> bool:
        """Whether what is bound now was bound by this call."""
        return (
            self.sink is not None
            and _last_call(self.output).call is self._call
            and any(output is self.sink for output in host.chain_of(self.output.audio))
        )

    def unbind(self) -> bool:
        """Unbind the endpoint; does nothing when someone else has bound one since.

        Returns whether there was something to unbind.
        """
        if not self.owner:
            return False
        swap_audio_endpoint(self.output, None)
        return True


@dataclass
class _LastCall:
    """Which call bound last; not the binding itself, which would keep the output alive.

    ``replacing`` is set while the whole output is replaced, which a tail can ask for again then.
    """

    call: object = None
    replacing: bool = False
    wanted: io.AudioOutput | None = None


_last_calls: WeakKeyDictionary[io.AgentOutput, _LastCall] = WeakKeyDictionary()


def _last_call(output: io.AgentOutput) -> _LastCall:
    last = _last_calls.get(output)
    if last is None:
        last = _last_calls[output] = _LastCall()
    return last


_output_of: WeakKeyDictionary[io.AudioOutput, ReferenceType[io.AgentOutput]] = WeakKeyDictionary()
"""The output of the agent to which a tail was bound last."""

Diversion = Callable[[Binding], bool]
"""Takes a binding in place of `bind_now`; False when it is none of its business."""

_diversion: ContextVar[Diversion | None] = ContextVar("conformance_diversion", default=None)


def swap_audio_endpoint(output: io.AgentOutput, sink: io.AudioOutput | None) -> Binding:
    """Bind ``sink`` as the tail of ``output``'s chain, below the wrappers; None unbinds.

    ``output`` is `AgentSession.output`. Every wrapper stays, and so does every listener on it. A
    chain without wrappers has no place for a swap point: ``output.audio`` is replaced then. The
    last caller owns the endpoint, also when it was bound already. Raises ValueError when ``sink``
    has a part of the chain in it, or is bound in another session; and whatever the ``on_attached``
    of ``sink`` raises. Nothing has changed then.

    Must be called in the event loop's thread; it does not wait for anything.
    """
    binding = Binding(output, sink)
    if not diverted(binding):
        bind_now(binding)
    return binding


def diverted(binding: Binding) -> bool:
    """Whether whoever binds here and now does so on behalf of an avatar that is told to wait."""
    diversion = _diversion.get()
    return diversion is not None and diversion(binding)


@contextmanager
def divert(diversion: Diversion | None) -> Iterator[None]:
    """Hand what is bound meanwhile, here and in tasks that begin here, to ``diversion``."""
    token = _diversion.set(diversion)
    try:
        yield
    finally:
        _diversion.reset(token)


def bind_now(binding: Binding) -> None:
    """Carry ``binding`` out; raises as `swap_audio_endpoint` does."""
    token = _diversion.set(None)
    try:
        _bind(binding.output, binding.sink, binding._call)
    finally:
        _diversion.reset(token)


def _bind(output: io.AgentOutput, sink: io.AudioOutput | None, call: object) -> None:
    root = output.audio
    point = insert_swap_point(root, attached=output.audio_enabled) if root is not None else None
    if sink is not None:
        if sink.next_in_chain is not None:
            _refuse_loop(root, point, sink)
        _refuse_shared(output, sink)
    last = _last_call(output)
    before, last.call = last.call, call  # first, for what is bound here can bind something else
    try:
        if point is None:
            _replace_output(output, sink, last)
        else:
            if point.output is None or point.output() is not output:
                point.output = ref(output)
            point.replace_tail(sink)
    except BaseException:
        if last.call is call:
            last.call = before
        raise
    if root is not None and point is not None:
        host.follow_sample_rate(root, point)


def current_endpoint(output: io.AgentOutput) -> io.AudioOutput | None:
    """What is bound below the swap point of ``output``, or ``output.audio`` if it has none.

    None when nothing is bound. It can be a whole chain, if one was bound.
    """
    for link in host.chain_of(output.audio):
        if isinstance(link, SwapPoint):
            return link.tail
        if host.is_swap_point(link):
            return link.next_in_chain
        if link.next_in_chain is None:
            return None if isinstance(link, Unbound) else link
    return None


def insert_swap_point(root: io.AudioOutput, *, attached: bool) -> SwapPoint | None:
    """The swap point of the chain below ``root``; puts one in when there is none yet.

    It takes the place of the host's own swap point where the host has one, so that both ways of
    exchanging the tail are one, and stands above the tail otherwise. Nothing is played, flushed or
    lost by it. ``attached`` says whether the chain is attached now. None when there is no wrapper.
    """
    wrappers: list[io.AudioOutput] = []
    for link in host.chain_of(root):
        if isinstance(link, SwapPoint):
            return link
        if wrappers and (host.is_swap_point(link) or link.next_in_chain is None):
            return _splice(wrappers, link, attached)
        wrappers.append(link)
    return None


def _splice(
    wrappers: list[io.AudioOutput], below: io.AudioOutput, attached: bool
) -> SwapPoint | None:
    proxy = below if host.is_swap_point(below) else None
    tail = below.next_in_chain if proxy is not None else below
    assert tail is not None, "the host's swap point has no tail"
    playback = host.playback_of(wrappers, tail)
    point = SwapPoint(tail, attached=attached)
    if not host.splice(point, above=wrappers[-1], playback=playback):
        point.release()
        return None
    point.take_over(playback, frames_waiting_at(proxy) if proxy is not None else ())
    return point


def _refuse_loop(
    root: io.AudioOutput | None, point: SwapPoint | None, sink: io.AudioOutput
) -> None:
    if point is None:
        return
    for above in host.chain_of(root):
        if _in(host.chain_of(sink), above):
            raise ValueError(
                f"swap_audio_endpoint: the new endpoint {sink!r} contains {above.label!r}, which is"
                " above it in the chain already; bind the endpoint itself, without wrappers"
            )
        if above is point:
            return


def _refuse_shared(output: io.AgentOutput, sink: io.AudioOutput) -> None:
    for link in host.chain_of(sink):
        for listener in host.listeners(link, "playback_finished"):
            owner = getattr(listener, "__self__", None)
            point = owner.point if isinstance(owner, TailListener) else None
            if isinstance(point, SwapPoint) and point.serves not in (None, output):
                raise _shared(link)
        for other in host.listening_swap_points(link):
            if not _in(host.chain_of(sink), other) and not _in(host.chain_of(output.audio), other):
                raise _shared(link)
    known = _output_of.get(sink)
    bound_to = known() if known is not None else None
    if bound_to is not output:
        if bound_to is not None and _in(host.chain_of(bound_to.audio), sink):
            raise _shared(sink)
        _output_of[sink] = ref(output)


def _shared(link: io.AudioOutput) -> ValueError:
    return ValueError(
        f"swap_audio_endpoint: {link.label!r} is bound in another session; each session needs an"
        " endpoint of its own, or one session ends the other's speech"
    )


def _in(links: Iterable[io.AudioOutput], output: io.AudioOutput) -> bool:
    return any(link is output for link in links)


def _replace_output(output: io.AgentOutput, sink: io.AudioOutput | None, last: _LastCall) -> None:
    last.wanted = sink
    if last.replacing:
        return
    old = output.audio
    last.replacing = True
    try:
        output.audio = sink
        output.audio = sink = last.wanted
    except BaseException:
        with suppress(Exception):
            output.audio = old
        raise
    finally:
        last.replacing = False
        last.wanted = None
    if sink is None and old is not None and host.pending_segments(old):
        # nobody will hear the rest, and whoever speaks waits for its end
        if host.is_capturing(old):
            old.flush()
        old.clear_buffer()
