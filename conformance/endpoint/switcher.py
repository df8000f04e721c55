"""Exchanging the avatar of an agent while the agent speaks."""

from __future__ import annotations

import asyncio
import contextvars
import enum
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, Final, TypeVar

from livekit import rtc
from livekit.agents import AgentSession, get_job_context
from livekit.agents.voice import io

from conformance import host

from .avatar_binding import AvatarBinding, Phase, Tails
from .binding import current_endpoint, swap_audio_endpoint
from .closings import Closings
from .swap_request import Avatar, AvatarFactory, Order, SwapError, SwapRequest, same_identity
from .swap_rpc import SwapService, make

logger = logging.getLogger(__name__)

T = TypeVar("T")

CANCEL_PATIENCE = 1.0
"""Seconds given to a start that is cancelled, to end."""


class _Before(enum.Enum):
    BEFORE = "what was bound before the avatars"


BEFORE: Final = _Before.BEFORE
"""For `AvatarSwitcher.release`: what was bound before the avatars, where it still plays."""


class AvatarSwitcher:
    """Exchanges the avatar of one agent session, one swap at a time.

    ``avatar`` is the one that has been started already, if any. The timeouts are in seconds and
    bound each step: ``start_timeout`` the avatar's `start`, ``join_timeout`` its `wait_for_join`
    (None does not wait for it), ``close_timeout`` the wait for the `aclose` of the one that leaves,
    ``factory_timeout`` the making of an avatar for a request.

    What the switcher has begun it ends: with the session, the room or the job, or by `aclose`, a
    swap under way is taken back, and the avatar is closed. The closing of an avatar is never cut
    short by a swap that is cancelled; `aclose` waits for it.

    Avatars that assign ``output.audio`` in `start` (plugins older than livekit-agents 1.6.1) would
    drop the wrappers in a running session; here they are bound below them.
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
        factory_timeout: float = 30.0,
    ) -> None:
        self._session = agent_session
        self._room = room
        self._order = order
        self._start_timeout = start_timeout
        self._join_timeout = join_timeout
        self._factory_timeout = factory_timeout
        self._lock = asyncio.Lock()
        self._requests = asyncio.Lock()
        self._tails = Tails()
        self._closings = Closings(close_timeout)
        self._current: AvatarBinding | None = None
        self._services: list[SwapService] = []
        self._under_way: set[asyncio.Future[Any]] = set()
        self._end: asyncio.Future[None] | None = None
        self._context = contextvars.copy_context()
        if avatar is not None:
            self._current = AvatarBinding(avatar, agent_session.output, self._tails)
            self._current.adopt(current_endpoint(agent_session.output))
        self._watch_the_call()

    @property
    def current(self) -> Avatar | None:
        """The avatar that speaks for the agent, or None."""
        return self._current.avatar if self._current is not None else None

    async def swap(self, avatar: Avatar, *, order: Order | None = None) -> None:
        """Put ``avatar`` in place of the current one; waits for a swap that is under way.

        With `Order.START_THEN_CLOSE` the old avatar speaks until the new one has joined, and goes
        on speaking if that fails. With `Order.CLOSE_THEN_START` nothing is bound in between; if
        the new avatar fails, it stays so, and speech ends at once instead of hanging. An avatar
        of the same identity as the current one is always started last, because closing an avatar
        removes the participant of its identity.

        Raises `SwapError` when the new avatar does not start or join, or the call ends; it is
        closed then. So it is when the swap is cancelled.
        """
        await self._one_at_a_time(lambda: self._swap(avatar, order or self._order))

    async def release(self, *, sink: io.AudioOutput | _Before | None = BEFORE) -> None:
        """Close the current avatar and bind ``sink``; the agent goes on without an avatar.

        By default ``sink`` is what was bound before the first avatar, where it still plays; None
        binds nothing. An endpoint that the application has bound over the avatar's stays, unless
        ``sink`` is an output.
        """
        await self._one_at_a_time(lambda: self._release(sink))

    async def aclose(self) -> None:
        """End: take back a swap that is under way, close the avatar, and wait for every closing.

        Waits ``close_timeout`` for them; what takes longer goes on without being waited for. Also
        happens by itself when the session closes, the room is left or the job shuts down.
        """
        await asyncio.shield(self._finish())

    def register_rpc(
        self, room: rtc.Room, factory: AvatarFactory, *, method: str = "swap_avatar"
    ) -> Callable[[], None]:
        """Let the participants of ``room`` ask for another avatar; returns what ends it.

        ``factory`` makes the avatar of a `SwapRequest` and raises ValueError or LookupError for
        one that it doesn't know. The payload is a name, or a JSON object with ``avatar`` and any
        options. Every caller gets an answer: ``{"avatar": name}``, or an `rtc.RpcError`. Requests
        that come during a swap wait for its end, except for the same request, which joins it. A
        swap goes on when its caller's time is up; who asks for the same again gets its outcome.
        """

        async def perform(request: SwapRequest) -> Avatar:
            async with self._requests:
                self._refuse_when_over()
                avatar = await make(factory, request, self._factory_timeout)
                await self.swap(avatar)
                return avatar

        service = SwapService(room, method, perform, lambda: self.current, self._background)
        self._services.append(service)
        return service.end

    # one swap

    async def _swap(self, avatar: Avatar, order: Order) -> None:
        old = self._current
        if old is not None and avatar is old.avatar:
            return
        if old is not None and (
            order is Order.CLOSE_THEN_START or same_identity(old.avatar, avatar)
        ):
            await self._leave(old, instead=None)
            old = None
        if not await self._closings.wait_for_identity(avatar):
            raise SwapError(
                "the new avatar was not started: one of the same identity is still being closed; no"
                " avatar is bound now",
                kept=False,
            )
        speaking = current_endpoint(self._session.output) is not None
        hold = order is Order.START_THEN_CLOSE and speaking
        phase = Phase.HELD if hold else Phase.BOUND
        new = AvatarBinding(avatar, self._session.output, self._tails, phase)
        try:
            await self._start(new)
            new.heard()
        except BaseException as error:  # cancellation must be rolled back like any failure
            await self._give_up(new)
            if not isinstance(error, Exception):
                raise
            what = str(error) or type(error).__name__
            rest = "the one before goes on" if old is not None else "no avatar is bound now"
            raise SwapError(
                f"the new avatar did not start: {what}; {rest}", kept=old is not None
            ) from error
        self._current = new
        if old is not None:
            old.close()
            await self._closings.wait(self._closings.begin(old))

    async def _start(self, new: AvatarBinding) -> None:
        self._refuse_when_over()
        before = current_endpoint(self._session.output)
        new.starting = new.run(new.avatar.start(self._session, self._room))
        await _within(new.starting, self._start_timeout, "start() did not return")
        new.adopt_unseen(before)
        wait_for_join = getattr(new.avatar, "wait_for_join", None)
        if self._join_timeout is None or wait_for_join is None:
            return
        seconds, what = self._join_timeout, "the avatar did not join the room"
        # its own timeout comes first, if it keeps to it
        joining = new.run(wait_for_join(timeout=seconds))
        try:
            await _within(joining, seconds + CANCEL_PATIENCE, what)
        except (asyncio.TimeoutError, TimeoutError) as error:  # two classes on Python 3.10
            raise TimeoutError(f"{what} within {seconds:g} s") from error
        finally:
            joining.cancel()

    async def _give_up(self, new: AvatarBinding) -> None:
        """Bind what was bound before ``new``, and close it, whatever its start does."""
        new.give_up()
        closing = None
        try:
            if new.starting is not None and not new.starting.done():
                new.starting.cancel()
                await asyncio.wait({new.starting}, timeout=CANCEL_PATIENCE)
        finally:
            closing = self._closings.begin(new)
        await self._closings.wait(closing)

    async def _leave(self, old: AvatarBinding, *, instead: io.AudioOutput | None) -> None:
        """Close the current avatar and bind ``instead``, if the endpoint is still its own."""
        self._current = None
        old.close()
        closing = self._closings.begin(old)
        try:
            await self._closings.wait(closing)
        finally:
            old.unbind(instead)

    async def _release(self, sink: io.AudioOutput | _Before | None) -> None:
        instead = self._tails.before if isinstance(sink, _Before) else sink
        if self._current is not None:
            await self._leave(self._current, instead=instead)
        if isinstance(sink, io.AudioOutput):
            swap_audio_endpoint(self._session.output, sink)

    # what the switcher lives with

    async def _one_at_a_time(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do ``work`` after what is under way; take it back when the caller is cancelled."""

        async def in_turn() -> None:
            async with self._lock:
                self._refuse_when_over()
                await work()

        self._refuse_when_over()
        task = asyncio.ensure_future(in_turn())
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task})
            raise
        if task.cancelled():
            self._refuse_when_over()
            raise asyncio.CancelledError
        task.result()

    def _refuse_when_over(self) -> None:
        if self._end is not None or host.is_over(self._session):
            raise SwapError("the call is over, and with it the avatar", kept=False)

    def _watch_the_call(self) -> None:
        if isinstance(self._session, rtc.EventEmitter):
            self._session.on("close", self._on_end)
        if isinstance(self._room, rtc.EventEmitter):
            self._room.on("disconnected", self._on_end)
        with suppress(RuntimeError):  # outside of a job
            get_job_context().add_shutdown_callback(self._on_shutdown)

    def _stop_watching(self) -> None:
        if isinstance(self._session, rtc.EventEmitter):
            self._session.off("close", self._on_end)
        if isinstance(self._room, rtc.EventEmitter):
            self._room.off("disconnected", self._on_end)

    def _on_end(self, *_: object) -> None:
        self._finish()

    async def _on_shutdown(self) -> None:
        await self.aclose()

    def _background(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """Run ``work`` in the context of the job, wherever the call for it comes from."""
        return self._context.run(asyncio.ensure_future, work)

    def _finish(self) -> asyncio.Future[None]:
        if self._end is None:
            self._end = self._background(self._close_all())
        return self._end

    async def _close_all(self) -> None:
        self._stop_watching()
        services = [asyncio.ensure_future(service.cancel()) for service in self._services]
        for task in self._under_way:
            task.cancel()
        if waiting := {*services, *self._under_way}:
            await asyncio.wait(waiting)
        if self._current is not None:
            await self._leave(self._current, instead=self._tails.before)
        await self._closings.finish()


async def _within(task: asyncio.Future[Any], seconds: float, what: str) -> None:
    """Wait for ``task`` and raise what it raises; TimeoutError, without ending it, when late."""
    await asyncio.wait({task}, timeout=seconds)
    if not task.done() or task.cancelled():
        raise TimeoutError(f"{what} within {seconds:g} s")
    task.result()


__all__ = ["BEFORE", "AvatarSwitcher"]
