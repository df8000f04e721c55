"""Binding an audio endpoint below the wrappers of a chain, and unbinding only one's own."""

from __future__ import annotations

from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from livekit.agents.voice import io

from conformance import host

from .swap_point import SwapPoint, Unbound


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
            and _last_call.get(self.output) is self._call
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


# not the binding itself: it holds the output, which would then live for ever
_last_call: WeakKeyDictionary[io.AgentOutput, object] = WeakKeyDictionary()


def swap_audio_endpoint(output: io.AgentOutput, sink: io.AudioOutput | None) -> Binding:
    """Bind ``sink`` as the tail of ``output``'s chain, below the wrappers; None unbinds.

    ``output`` is `AgentSession.output`. Every wrapper stays, and so does every listener on it. A
    chain without wrappers has no place for a swap point: ``output.audio`` is replaced then. The
    last caller owns the endpoint, also when it was bound already. Raises ValueError when ``sink``
    has a part of the chain in it.

    Must be called in the event loop's thread; it does not wait for anything.
    """
    root = output.audio
    point = insert_swap_point(root, attached=output.audio_enabled) if root is not None else None
    if point is None:
        _replace_output(output, sink)
    else:
        wrappers = _above(root, point)
        _refuse_loop([*wrappers, point], sink)
        point.replace_tail(sink)
        host.follow_sample_rate(wrappers, point.sample_rate)
    binding = Binding(output, sink)
    _last_call[output] = binding._call
    return binding


def current_endpoint(output: io.AgentOutput) -> io.AudioOutput | None:
    """What is bound below the swap point of ``output``, or ``output.audio`` if it has none.

    None when nothing is bound. It can be a whole chain, if one was bound.
    """
    for link in host.chain_of(output.audio):
        if isinstance(link, SwapPoint):
            return link.tail
        if host.is_swap_point(link) and not isinstance(link.next_in_chain, SwapPoint):
            return link.next_in_chain
        if link.next_in_chain is None:
            return None if isinstance(link, Unbound) else link
    return None


def insert_swap_point(root: io.AudioOutput, *, attached: bool) -> SwapPoint | None:
    """The swap point of the chain below ``root``; puts one in when there is none yet.

    It goes below the host's own swap point where the host has one, so that both ways of
    exchanging the tail work, and above the tail otherwise. Nothing is played, flushed or lost by
    it. ``attached`` says whether the chain is attached now. None when there is no wrapper.
    """
    wrappers: list[io.AudioOutput] = []
    for link in host.chain_of(root):
        if isinstance(link, SwapPoint):
            return link
        if wrappers and (host.is_swap_point(wrappers[-1]) or link.next_in_chain is None):
            return _splice(wrappers, link, attached)
        wrappers.append(link)
    return None


def _splice(
    wrappers: list[io.AudioOutput], tail: io.AudioOutput, attached: bool
) -> SwapPoint | None:
    playback = host.playback_of(wrappers, tail)
    point = SwapPoint(tail, attached=attached)
    if not host.splice(point, above=wrappers[-1], playback=playback):
        point.release()
        return None
    point.take_over(playback)
    return point


def _above(root: io.AudioOutput | None, point: SwapPoint) -> list[io.AudioOutput]:
    wrappers = []
    for link in host.chain_of(root):
        if link is point:
            break
        wrappers.append(link)
    return wrappers


def _refuse_loop(upper: list[io.AudioOutput], sink: io.AudioOutput | None) -> None:
    for link in host.chain_of(sink):
        if any(link is output for output in upper):
            raise ValueError(
                f"swap_audio_endpoint: the new endpoint {sink!r} contains {link.label!r}, which is"
                " above it in the chain already; bind the endpoint itself, without wrappers"
            )


def _replace_output(output: io.AgentOutput, sink: io.AudioOutput | None) -> None:
    old = output.audio
    output.audio = sink
    if sink is None and old is not None and host.pending_segments(old):
        # nobody will hear the rest, and whoever speaks waits for its end
        if host.is_capturing(old):
            old.flush()
        old.clear_buffer()
