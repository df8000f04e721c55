"""The tails that one avatar binds: bound at once, held back until it can be heard, or refused."""

from __future__ import annotations

import asyncio
import contextvars
import enum
import logging
from collections.abc import Awaitable
from typing import TypeVar
from weakref import WeakSet

from livekit.agents.voice import io

from conformance import host

from .binding import Binding, bind_now, current_endpoint, divert, diverted
from .swap_request import Avatar

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Tails:
    """Which tails were an avatar's, which of those are closed, and what was bound before any."""

    def __init__(self) -> None:
        self.before: io.AudioOutput | None = None
        self._of_avatars: WeakSet[io.AudioOutput] = WeakSet()
        self._closed: WeakSet[io.AudioOutput] = WeakSet()

    def bound(self, tail: io.AudioOutput | None, before: io.AudioOutput | None) -> None:
        """An avatar has bound ``tail`` in place of ``before``."""
        if before is not None and before not in self._of_avatars:
            self.before = before
        if tail is not None:
            self._of_avatars.add(tail)
            self._closed.discard(tail)

    def closed(self, tail: io.AudioOutput | None) -> None:
        """The avatar of ``tail`` is closed, or about to be."""
        if tail is not None:
            self._closed.add(tail)

    def playing(self, tail: io.AudioOutput | None) -> io.AudioOutput | None:
        """``tail``, or what was bound before all avatars when it is a closed one's."""
        return self.before if tail is not None and tail in self._closed else tail


class Phase(enum.Enum):
    """What becomes of a tail that an avatar binds."""

    HELD = "kept until the avatar can be heard"
    BOUND = "bound at once"
    OVER = "refused: the avatar has been given up"


class AvatarBinding:
    """One avatar, and what it has bound to ``output``.

    All code of the avatar runs in tasks of :meth:`run`, so that what it binds there, by whichever
    way, is known to be its own.
    """

    def __init__(
        self, avatar: Avatar, output: io.AgentOutput, tails: Tails, phase: Phase = Phase.BOUND
    ) -> None:
        self.avatar = avatar
        self.starting: asyncio.Future[None] | None = None
        self._output = output
        self._tails = tails
        self._phase = phase
        self._held: Binding | None = None
        self._tail: io.AudioOutput | None = None
        self._before: io.AudioOutput | None = None
        self._has_bound = False
        host.watch_tail_calls(output, _bound_by_host)

    def run(self, work: Awaitable[T]) -> asyncio.Future[T]:
        """Run ``work``, which is the avatar's, in a task of its own."""
        context = contextvars.copy_context()
        return context.run(self._begin, work)

    def _begin(self, work: Awaitable[T]) -> asyncio.Future[T]:
        with divert(self._take):
            return asyncio.ensure_future(work)

    def adopt(self, tail: io.AudioOutput | None) -> None:
        """``tail`` is the avatar's; it was bound before it was watched, or unseen."""
        if tail is not None:
            self._tail, self._has_bound = tail, True
            self._tails.bound(tail, None)

    def adopt_unseen(self, before: io.AudioOutput | None) -> None:
        """Take what is bound for the avatar's own, where it has bound it in a way unseen."""
        bound = current_endpoint(self._output)
        if not self._has_bound and self._held is None and bound is not before:
            self._before = before
            self._tails.bound(bound, before)
            self._tail, self._has_bound = bound, True

    def heard(self) -> None:
        """The avatar can be heard: bind what it wanted to. Raises as `swap_audio_endpoint` does."""
        self._phase = Phase.BOUND
        held, self._held = self._held, None
        if held is not None:
            self._bind(held)

    def give_up(self) -> None:
        """Bind what was bound before, where it still plays; the avatar binds nothing any more."""
        self.close()
        self.unbind(self._before)

    def close(self) -> None:
        """The avatar is about to be closed."""
        self._phase = Phase.OVER
        self._held = None
        self._tails.closed(self._tail)

    def unbind(self, instead: io.AudioOutput | None) -> None:
        """Bind ``instead``, if what is bound is still this avatar's."""
        if self._in_place():
            bind_now(Binding(self._output, self._tails.playing(instead)))

    def _take(self, binding: Binding) -> bool:
        """Decide about a tail that the avatar's code binds; False leaves it to be bound."""
        if binding.output is not self._output:
            return False
        if self._phase is Phase.HELD:
            self._held = binding
        elif self._phase is Phase.BOUND:
            self._bind(binding)
        elif self._in_place():
            bind_now(Binding(self._output, self._tails.playing(binding.sink)))
        else:
            logger.debug("%r is not bound: its avatar has been given up", binding.sink)
        return True

    def _bind(self, binding: Binding) -> None:
        before = current_endpoint(self._output)
        bind_now(binding)
        if not self._has_bound:
            self._before = before
        if before is not self._tail:
            self._tails.bound(None, before)
        self._tails.bound(binding.sink, None)
        self._tail, self._has_bound = binding.sink, True

    def _in_place(self) -> bool:
        return self._has_bound and current_endpoint(self._output) is self._tail


def _bound_by_host(output: io.AgentOutput, sink: io.AudioOutput | None) -> bool:
    """Whether a binding by the host's own means is taken care of."""
    root = output.audio
    if root is not None and any(link is root for link in host.chain_of(sink)):
        return False  # wrapped, not replaced
    return diverted(Binding(output, sink))
