"""What a caller of an RPC method gets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from livekit import rtc

from .probe import Surroundings, Watched, about, probe

UNSUPPORTED = "1400 Method not supported at destination"
NO_CONNECTION = "1501 Connection timeout"
NO_RESPONSE = "1502 Response timeout"
DISCONNECTED = "1503 Recipient disconnected"


async def _pair(around: Surroundings) -> tuple[Watched, Watched]:
    caller = await around.join("caller")
    callee = await around.join("callee")
    return caller, callee


async def _call(around: Surroundings, caller: Watched, method: str, **options: Any) -> str:
    began = around.clock.now()
    options = {"destination_identity": "callee", "payload": "", **options}
    try:
        answer = await caller.room.local_participant.perform_rpc(method=method, **options)
        return f"{answer!r}" if len(answer) < 100 else f"{len(answer)} bytes"
    except rtc.RpcError as error:
        data = f" data={error.data!r}" if error.data else ""
        return f"{int(error.code)} {error.message}{data}, {about(around.clock.now() - began)}"


@probe("calls", "A method that nobody registered?", f"{UNSUPPORTED}, at once")
async def _unknown_method(around: Surroundings) -> Sequence[str]:
    caller, _ = await _pair(around)
    return [await _call(around, caller, "nothing")]


@probe(
    "calls",
    "A recipient that is not in the room (whatever response_timeout is); the caller itself?",
    f"{NO_CONNECTION}, after 7 s",
    f"{NO_CONNECTION}, after 7 s",
    f"{NO_CONNECTION}, after 7 s",
)
async def _unknown_recipient(around: Surroundings) -> Sequence[str]:
    caller, _ = await _pair(around)
    return await asyncio.gather(
        _call(around, caller, "nothing", destination_identity="nobody"),
        _call(around, caller, "nothing", destination_identity="nobody", response_timeout=2.0),
        _call(around, caller, "nothing", destination_identity="caller"),
    )


@probe(
    "calls",
    "The handler returns nothing, raises ValueError, raises RpcError(7, ...)?",
    "''",
    "1500 Application error in method handler, at once",
    "7 mine data='more', at once",
)
async def _handlers(around: Surroundings) -> Sequence[str]:
    caller, callee = await _pair(around)
    callee.room.local_participant.register_rpc_method("nothing", lambda data: None)

    async def value_error(data: rtc.RpcInvocationData) -> str:
        raise ValueError("not for the caller")

    async def rpc_error(data: rtc.RpcInvocationData) -> str:
        raise rtc.RpcError(7, "mine", "more")

    callee.room.local_participant.register_rpc_method("value-error", value_error)
    callee.room.local_participant.register_rpc_method("rpc-error", rpc_error)
    return [await _call(around, caller, m) for m in ("nothing", "value-error", "rpc-error")]


@probe(
    "calls",
    "The handler is too slow: when does the caller hear, and how long does the handler have?",
    f"{NO_RESPONSE}, within a tick",
    f"{NO_RESPONSE}, after 8 s",
    "handlers had 1.0 s, 8.0 s",
)
async def _too_slow(around: Surroundings) -> Sequence[str]:
    caller, callee = await _pair(around)
    given: list[float] = []

    async def slow(data: rtc.RpcInvocationData) -> str:
        given.append(data.response_timeout)
        await asyncio.sleep(60)
        return ""

    callee.room.local_participant.register_rpc_method("slow", slow)
    answers = [
        await _call(around, caller, "slow", response_timeout=3.0),
        await _call(around, caller, "slow"),
    ]
    return [*answers, "handlers had " + ", ".join(f"{each:.1f} s" for each in given)]


@probe(
    "calls",
    "The recipient, of whom the caller has heard, disconnects in the middle of a call?",
    f"{DISCONNECTED}",
    "the handler is cancelled",
)
async def _recipient_leaves(around: Surroundings) -> Sequence[str]:
    caller, callee = await _pair(around)
    await caller.until("participant_active callee")
    ends: list[str] = []

    async def slow(data: rtc.RpcInvocationData) -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            ends.append("the handler is cancelled")
            raise
        return ""

    callee.room.local_participant.register_rpc_method("slow", slow)
    call = asyncio.ensure_future(_call(around, caller, "slow", response_timeout=30.0))
    await around.clock.sleep(0.5)
    await callee.room.disconnect()
    answer = await call
    return [answer.split(",")[0], *ends]


@probe("calls", "The caller disconnects in the middle of a call?", DISCONNECTED)
async def _caller_leaves(around: Surroundings) -> Sequence[str]:
    caller, callee = await _pair(around)

    async def slow(data: rtc.RpcInvocationData) -> str:
        await asyncio.sleep(60)
        return ""

    callee.room.local_participant.register_rpc_method("slow", slow)
    call = asyncio.ensure_future(_call(around, caller, "slow", response_timeout=30.0))
    await around.clock.sleep(0.5)
    await caller.room.disconnect()
    return [(await call).split(",")[0]]


@probe("calls", "A call after one's own disconnect()?", "1505 Failed to send")
async def _after_disconnect(around: Surroundings) -> Sequence[str]:
    caller, _ = await _pair(around)
    await caller.room.disconnect()
    # The data has one of two texts, by how far the SDK has come with closing.
    return [(await _call(around, caller, "nothing")).split(" data=")[0].split(",")[0]]


@probe(
    "calls",
    "A request of 20 kB, with an answer as large, to a participant that the caller has heard of?",
    "20000 bytes",
)
async def _large(around: Surroundings) -> Sequence[str]:
    caller, callee = await _pair(around)
    await caller.until("participant_active callee")
    callee.room.local_participant.register_rpc_method("echo", lambda data: data.payload)
    return [await _call(around, caller, "echo", payload="x" * 20000)]


@probe(
    "calls",
    "The same, to one that the caller has not heard of yet?",
    "1402 Request payload too large, at once",
    loopback=["20000 bytes"],
    why="the loopback server tells at once, so that everybody has been heard of",
)
async def _large_before_news(around: Surroundings) -> Sequence[str]:
    caller, callee = await _pair(around)
    callee.room.local_participant.register_rpc_method("echo", lambda data: data.payload)
    return [await _call(around, caller, "echo", payload="x" * 20000)]
