"""Remote procedure calls between participants, with the real SDK's limits, times and codes.

A destination that is not in the room does not acknowledge, so the caller gets CONNECTION_TIMEOUT
and never RECIPIENT_NOT_FOUND: measured on a real server.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from livekit import rtc

from .connection import Link
from .rpc_call import Call, Code, Pending, Request, built_in

logger = logging.getLogger(__name__)

MAX_PAYLOAD_BYTES = 15_360
"""For requests and answers, where one of the two speaks an older client protocol."""
UNLIMITED_SINCE_PROTOCOL = 1
RESPONSE_TIMEOUT = 15.0
ROUND_TRIP = 7.0
SHORTEST_HANDLER_TIMEOUT = 1.0
UNWIND_TIMEOUT = 2.0


async def perform(link: Link, interceptors: Sequence[Any], call: Call) -> str:
    """Make a call through the interceptors; raises `rtc.RpcError`."""
    if not interceptors:
        return await _exchange(link, call)

    async def last(info: Any) -> str:
        return await _exchange(
            link,
            Call(
                info.destination_identity,
                info.method,
                info.payload,
                info.response_timeout,
                info.max_round_trip_latency,
            ),
        )

    step: Callable[[Any], Awaitable[str]] = last
    for interceptor in reversed(interceptors):
        step = _outgoing(interceptor, step)
    return await step(
        rtc.RpcCallInfo(
            destination_identity=call.destination_identity,
            method=call.method,
            payload=call.payload,
            response_timeout=call.response_timeout,
            max_round_trip_latency=call.max_round_trip_latency,
        )
    )


async def answer(
    request: Request, handlers: Mapping[str, Any], interceptors: Sequence[Any]
) -> str | rtc.RpcError | None:
    """Run the handler of a request within its time and return what the caller gets.

    None stands for no answer at all: what a handler gets that returns something but a string.
    """
    invocation = _invocation(request)
    step: Callable[[Any], Awaitable[Any]] = _handler(handlers, request.method)
    for interceptor in reversed(interceptors):
        step = _incoming(interceptor, step)
    chain = asyncio.ensure_future(step(invocation))
    try:
        done, _ = await asyncio.wait([chain], timeout=request.timeout)
    except asyncio.CancelledError:
        await _stop(chain, invocation, Code.RECIPIENT_DISCONNECTED)
        return built_in(Code.RECIPIENT_DISCONNECTED)
    if not done:
        await _stop(chain, invocation, Code.RESPONSE_TIMEOUT)
        return built_in(Code.RESPONSE_TIMEOUT)
    if chain.cancelled():
        return built_in(Code.APPLICATION_ERROR)
    error = chain.exception()
    if isinstance(error, rtc.RpcError):
        return error
    if error is not None:
        logger.error("the handler of %s raised", request.method, exc_info=error)
        return built_in(Code.APPLICATION_ERROR)
    payload = chain.result()
    if payload is None:
        return ""
    if not isinstance(payload, str):
        logger.error("the handler of %s returned no string: %r", request.method, payload)
        return None
    if request.limited and len(payload.encode()) > MAX_PAYLOAD_BYTES:
        return built_in(Code.RESPONSE_PAYLOAD_TOO_LARGE)
    return payload


async def _exchange(link: Link, call: Call) -> str:
    timeline = link.client.timeline
    timeline.record(link.lane, "rpc", link.identity, method=call.method)
    try:
        return await _send(link, call)
    except rtc.RpcError as error:
        timeline.record(
            link.lane, "rpc-failed", link.identity, method=call.method, code=int(error.code)
        )
        raise


async def _send(link: Link, call: Call) -> str:
    caller = link.client
    if not link.open:
        raise built_in(Code.SEND_FAILED, "internal error")
    destination = link.server_room.links.get(call.destination_identity)
    protocols = [caller.client_protocol]
    if destination is not None:
        protocols.append(destination.client.client_protocol)
    limited = min(protocols) < UNLIMITED_SINCE_PROTOCOL
    if limited and len(call.payload.encode()) > MAX_PAYLOAD_BYTES:
        raise built_in(Code.REQUEST_PAYLOAD_TOO_LARGE)
    timeout = RESPONSE_TIMEOUT if call.response_timeout is None else call.response_timeout
    round_trip = ROUND_TRIP if call.max_round_trip_latency is None else call.max_round_trip_latency
    request = Request(
        id=caller.ids.request(),
        caller=link.identity,
        method=call.method,
        payload=call.payload,
        timeout=max(timeout - round_trip, SHORTEST_HANDLER_TIMEOUT),
        limited=limited,
    )
    pending = Pending(call.destination_identity)
    caller.pending[request.id] = pending
    try:
        link.send(lambda other: other.on_rpc_request(request), [call.destination_identity])
        await asyncio.wait([pending.acknowledged], timeout=round_trip)
        if not pending.acknowledged.done():
            raise built_in(Code.CONNECTION_TIMEOUT)
        await asyncio.wait([pending.answered], timeout=timeout)
        if not pending.answered.done():
            raise built_in(Code.RESPONSE_TIMEOUT)
        result = pending.answered.result()
        if isinstance(result, rtc.RpcError):
            raise rtc.RpcError(result.code, result.message, result.data)
        return result
    finally:
        caller.pending.pop(request.id, None)


def _invocation(request: Request) -> rtc.RpcInvocationData:
    data = rtc.RpcInvocationData(request.id, request.caller, request.payload, request.timeout)
    if hasattr(data, "method"):
        data.method = request.method
    return data


def _handler(handlers: Mapping[str, Any], method: str) -> Callable[[Any], Awaitable[Any]]:
    async def run(invocation: Any) -> Any:
        handler = handlers.get(method)
        if handler is None:
            raise built_in(Code.UNSUPPORTED_METHOD)
        result = handler(invocation)
        return await result if inspect.isawaitable(result) else result

    return run


def _outgoing(interceptor: Any, step: Callable[[Any], Awaitable[str]]) -> Callable[..., Any]:
    return lambda info: interceptor.intercept_outgoing(info, step)


def _incoming(interceptor: Any, step: Callable[[Any], Awaitable[Any]]) -> Callable[..., Any]:
    return lambda invocation: interceptor.intercept_incoming(invocation, step)


async def _stop(chain: asyncio.Future[Any], invocation: Any, why: rtc.RpcError.ErrorCode) -> None:
    if hasattr(invocation, "cancel_reason"):
        invocation.cancel_reason = why
    chain.cancel()
    done, _ = await asyncio.wait([chain], timeout=UNWIND_TIMEOUT)
    if done and not chain.cancelled() and chain.exception() is not None:
        logger.warning(
            "the handler of %s raised while being cancelled",
            getattr(invocation, "method", ""),
            exc_info=chain.exception(),
        )
