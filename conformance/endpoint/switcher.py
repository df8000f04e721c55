"""Exchanging the avatar of an agent while the agent speaks."""

from __future__ import annotations

import asyncio
import enum
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from livekit import rtc
from livekit.agents import AgentSession
from livekit.agents.voice import io

from .binding import current_endpoint, swap_audio_endpoint
from .swap_rpc import AvatarFactory, SwapRequest, serve_swaps

logger = logging.getLogger(__name__)

_CANCEL_PATIENCE = 1.0
"""Seconds given to a step that took too long, to end when it is cancelled."""


class Avatar(Protocol):
    """What the switcher needs of an avatar; every `AvatarSession` of livekit-agents has it."""

    async def start(self, agent_session: AgentSession[Any], room: rtc.Room) -> None:
        """Start the avatar and bind its audio endpoint."""

    async def aclose(self) -> None:
        """End the avatar."""


class Order(enum.Enum):
    """Which of the two happens first in a swap."""

    CLOSE_THEN_START = "close-then-start"
    START_THEN_CLOSE = "start-then-close"


class SwapError(RuntimeError):
    """The new avatar could not be put in place.

    ``kept`` says whether the one before it goes on speaking; otherwise nothing is bound, and the
    chain is whole.
    """

    def __init__(self, message: str, *, kept: bool) -> None:
        self.kept = kept
        super().__init__(message)


class AvatarSwitcher:
    """Exchanges the avatar of one agent session, one swap at a time.

    ``avatar`` is the one that has been started already, if any. The timeouts are in seconds and
    bound each step: ``start_timeout`` the avatar's `start`, ``join_timeout`` its `wait_for_join`
    (None does not wait for it), ``close_timeout`` the `aclose` of the one that leaves.

    Avatars that assign ``output.audio`` in `start` (plugins older than livekit-agents 1.6.1) would
    drop the wrappers in a running session; the switcher puts them back above the avatar.
    """

    def __init__(
        self,
        agent_session: AgentSession[Any],
        room: rtc.Room,
        *,
        avatar: Avatar | None = None,
        order: Order = Order.CLOSE_THEN_START,
        start_timeout: float = 30.0,
        join_timeout: float | None = 30.0,
        close_timeout: float = 10.0,
    ) -> None:
        self._session = agent_session
        self._room = room
        self._current = avatar
        self._order = order
        self._start_timeout = start_timeout
        self._join_timeout = join_timeout
        self._close_timeout = close_timeout
        self._lock = asyncio.Lock()

    @property
    def current(self) -> Avatar | None:
        """The avatar that speaks for the agent, or None."""
        return self._current

    async def swap(self, avatar: Avatar, *, order: Order | None = None) -> None:
        """Put ``avatar`` in place of the current one; waits for a swap that is under way.

        With `Order.START_THEN_CLOSE` the old avatar speaks until the new one has joined, and goes
        on speaking if that fails. With `Order.CLOSE_THEN_START` nothing is bound in between; if
        the new avatar fails, it stays so, and speech ends at once instead of hanging. An avatar
        of the same identity as the current one is always started last, because closing an avatar
        removes the participant of its identity.

        Raises `SwapError` when the new avatar does not start or join; it is closed then.
        """
        async with self._lock:
            await self._swap(avatar, order or self._order)

    async def release(self, *, sink: io.AudioOutput | None = None) -> None:
        """Close the current avatar and bind ``sink``, or nothing; the agent goes on without one."""
        async with self._lock:
            await self._close_current()
            if sink is not None:
                swap_audio_endpoint(self._session.output, sink)

    def register_rpc(
        self, room: rtc.Room, factory: AvatarFactory, *, method: str = "swap_avatar"
    ) -> Callable[[], None]:
        """Let the participants of ``room`` ask for another avatar; returns what ends it.

        ``factory`` makes the avatar of a `SwapRequest` and raises ValueError or LookupError for
        one that it doesn't know. The payload is a name, or a JSON object with ``avatar`` and any
        options. Every caller gets an answer: ``{"avatar": name}``, or an `rtc.RpcError`. Requests
        that come during a swap wait for its end.
        """

        async def perform(request: SwapRequest) -> None:
            async with self._lock:
                await self._swap(await request.make(factory), self._order)

        return serve_swaps(room, perform, method)

    async def _swap(self, new: Avatar, order: Order) -> None:
        old = self._current
        if new is old:
            return
        if old is not None and (order is Order.CLOSE_THEN_START or _same_identity(old, new)):
            await self._close_current()
            old = None
        before = current_endpoint(self._session.output)
        try:
            await self._start(new)
        except BaseException as error:  # cancellation must be rolled back like any failure
            await self._roll_back(new, before)
            if not isinstance(error, Exception):
                raise
            what = str(error) or type(error).__name__
            rest = "the one before goes on" if old is not None else "no avatar is bound now"
            raise SwapError(
                f"the new avatar did not start: {what}; {rest}", kept=old is not None
            ) from error
        self._current = new
        if old is not None:
            bound = current_endpoint(self._session.output)
            await self._close(old)
            if current_endpoint(self._session.output) is not bound:
                # some avatars unbind whatever is bound when they are closed
                swap_audio_endpoint(self._session.output, bound)

    async def _start(self, avatar: Avatar) -> None:
        chain = self._session.output.audio
        try:
            await _bounded(
                avatar.start(self._session, self._room),
                self._start_timeout,
                "start() did not return",
            )
        finally:
            self._keep_wrappers(chain)
        wait_for_join = getattr(avatar, "wait_for_join", None)
        if self._join_timeout is not None and wait_for_join is not None:
            seconds = self._join_timeout
            what = "the avatar did not join the room"
            try:
                # its own timeout comes first, if it keeps to it
                joined = wait_for_join(timeout=seconds)
                await _bounded(joined, seconds + _CANCEL_PATIENCE, what)
            except (asyncio.TimeoutError, TimeoutError) as error:  # two classes on Python 3.10
                raise TimeoutError(f"{what} within {seconds:g} s") from error

    def _keep_wrappers(self, chain: io.AudioOutput | None) -> None:
        output = self._session.output
        bound = output.audio
        if chain is not None and chain.next_in_chain is not None and bound is not chain:
            output.audio = chain
            swap_audio_endpoint(output, bound)

    async def _roll_back(self, new: Avatar, before: io.AudioOutput | None) -> None:
        try:
            await self._close(new)
        finally:
            if current_endpoint(self._session.output) is not before:
                swap_audio_endpoint(self._session.output, before)

    async def _close_current(self) -> None:
        old, self._current = self._current, None
        if old is None:
            return
        bound = current_endpoint(self._session.output)
        try:
            await self._close(old)
        finally:
            if bound is not None and current_endpoint(self._session.output) is bound:
                swap_audio_endpoint(self._session.output, None)

    async def _close(self, avatar: Avatar) -> None:
        try:
            await _bounded(avatar.aclose(), self._close_timeout, "aclose() did not return")
        except Exception:  # an avatar that cannot be closed must not keep the next one out
            logger.warning("failed to close the avatar", exc_info=True)


async def _bounded(awaitable: Awaitable[None], seconds: float, what: str) -> None:
    task = asyncio.ensure_future(awaitable)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=_CANCEL_PATIENCE)
    if task.cancelled() or not task.done():
        raise TimeoutError(f"{what} within {seconds:g} s")
    task.result()


def _same_identity(old: Avatar, new: Avatar) -> bool:
    identity = getattr(new, "avatar_identity", None)
    return identity is not None and identity == getattr(old, "avatar_identity", None)
