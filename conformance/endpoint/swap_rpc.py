"""The RPC by which participants of the room ask for another avatar."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from livekit import rtc

from .swap_request import Avatar, AvatarFactory, SwapError, SwapRequest

logger = logging.getLogger(__name__)

BAD_REQUEST = 400
"""Error code for a payload that names no avatar, or one that the factory does not know."""

Perform = Callable[[SwapRequest], Coroutine[Any, Any, Avatar]]
"""Carries a request out, in a task of its own, and returns the avatar that speaks then."""

Background = Callable[[Coroutine[Any, Any, Avatar]], "asyncio.Future[Avatar]"]


@dataclass
class _Swap:
    """A request that is carried out, however many ask for it, and after they have gone."""

    task: asyncio.Future[Avatar]
    callers: int = 0
    heard: bool = False


class SwapService:
    """Answers the calls of ``method`` in ``room`` by ``perform``.

    A swap outlives its caller, who may have given up after the time that an RPC has: the same
    request, made again, gets the outcome of the first. ``current`` tells which avatar speaks, and
    ``background`` runs what must not end with the call.
    """

    def __init__(
        self,
        room: rtc.Room,
        method: str,
        perform: Perform,
        current: Callable[[], Avatar | None],
        background: Background,
    ) -> None:
        self._participant = room.local_participant
        self._method = method
        self._perform = perform
        self._current = current
        self._background = background
        self._swaps: dict[str, _Swap] = {}
        self._open = True
        self._participant.register_rpc_method(method, self._answer)

    def end(self) -> None:
        """Answer no further call. What is being carried out goes on."""
        if self._open:
            self._open = False
            self._participant.unregister_rpc_method(self._method)

    async def cancel(self) -> None:
        """Answer no further call, and give up what is being carried out."""
        self.end()
        tasks = [swap.task for swap in self._swaps.values() if not swap.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _answer(self, data: rtc.RpcInvocationData) -> str:
        request = parse(data)
        swap = self._swap_for(request)
        swap.callers += 1
        try:
            await asyncio.wait({swap.task})
            swap.heard = True
        finally:
            swap.callers -= 1
            self._forget(request, swap)
        if swap.task.cancelled():
            raise rtc.RpcError(
                rtc.RpcError.ErrorCode.APPLICATION_ERROR, "the avatar was not exchanged: call over"
            )
        try:
            swap.task.result()
        except rtc.RpcError:
            raise
        except Exception as error:  # the caller is to hear of it, whatever it was
            raise rtc.RpcError(
                rtc.RpcError.ErrorCode.APPLICATION_ERROR, str(error) or type(error).__name__
            ) from error
        return json.dumps({"avatar": request.avatar})

    def _swap_for(self, request: SwapRequest) -> _Swap:
        swap = self._swaps.get(request.wish)
        if swap is not None and swap.task.done() and swap.task.result() is not self._current():
            swap = None  # another one has been put in its place since
        if swap is None:
            task = self._background(self._perform(request))
            swap = self._swaps[request.wish] = _Swap(task)
            kept = swap
            task.add_done_callback(lambda _: self._done(request, kept))
        return swap

    def _done(self, request: SwapRequest, swap: _Swap) -> None:
        failure = None if swap.task.cancelled() else swap.task.exception()
        if failure is not None and not isinstance(failure, rtc.RpcError):
            logger.warning("swap to %r failed", request.avatar, exc_info=failure)
        if not swap.callers:
            self._forget(request, swap)

    def _forget(self, request: SwapRequest, swap: _Swap) -> None:
        """Drop a swap whose outcome has been heard, or that has failed with nobody to hear it."""
        task = swap.task
        if not task.done() or swap.callers:
            return
        unheard = not swap.heard and not task.cancelled() and task.exception() is None
        if not unheard and self._swaps.get(request.wish) is swap:
            del self._swaps[request.wish]


async def make(factory: AvatarFactory, request: SwapRequest, seconds: float) -> Avatar:
    """The avatar of ``request``, made by ``factory`` within ``seconds``.

    Raises `rtc.RpcError` when the factory knows none like it, `SwapError` when it takes too long.
    """
    try:
        made = factory(request)
        if not inspect.isawaitable(made):
            return made
        task = asyncio.ensure_future(made)
        try:
            await asyncio.wait({task}, timeout=seconds)
        finally:
            if not task.done():
                task.cancel()
        if not task.done():
            raise SwapError(
                f"no avatar {request.avatar!r} was made within {seconds:g} s", kept=True
            )
        return task.result()
    except (ValueError, LookupError) as error:
        reason = error.args[0] if error.args else type(error).__name__
        raise rtc.RpcError(BAD_REQUEST, f"no avatar {request.avatar!r}: {reason}") from error


def parse(data: rtc.RpcInvocationData) -> SwapRequest:
    """The request in a payload: a name, a JSON string or a JSON object; raises `rtc.RpcError`."""
    payload = data.payload.strip()
    asked: Any = payload
    if payload[:1] in ("{", '"'):
        try:
            asked = json.loads(payload)
        except ValueError as error:
            raise rtc.RpcError(BAD_REQUEST, f"the payload is not valid JSON: {error}") from None
    options: dict[str, object] = {}
    if isinstance(asked, dict):
        options = {name: value for name, value in asked.items() if name != "avatar"}
        asked = asked.get("avatar")
    if not isinstance(asked, str) or not asked:
        raise rtc.RpcError(
            BAD_REQUEST,
            'the payload names no avatar: send its name, or {"avatar": "<name>", ...}',
        )
    return SwapRequest(asked, options, data.caller_identity)
