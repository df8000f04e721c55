"""Remote procedure calls in the in-memory room: codes, times, interceptors."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from livekit import api, rtc

from conformance.loopback.room.server import JOINING, LoopbackServer
from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual
from conformance.plugin.room import Credentials
from conformance.results.timeline import Timeline

CREDENTIALS = Credentials(
    "wss://conformance.livekit.test", "key", "a-secret-of-at-least-32-bytes-for-it"
)
Code = rtc.RpcError.ErrorCode


class Pair:
    """A caller ``a`` and the participant ``b`` that answers."""

    def __init__(self, server: LoopbackServer, caller: rtc.Room, callee: rtc.Room) -> None:
        self.server = server
        self.caller = caller
        self.callee = callee

    def answer(self, handler: Any) -> None:
        """Let ``b`` answer method ``m``."""
        self.callee.local_participant.register_rpc_method("m", handler)

    async def call(self, payload: str = "", **options: Any) -> str:
        """Call ``m`` of ``b``."""
        options.setdefault("destination_identity", "b")
        return await self.caller.local_participant.perform_rpc(
            method="m", payload=payload, **options
        )

    async def failure(self, payload: str = "", **options: Any) -> tuple[int, float]:
        """The code with which a call fails, and after how many seconds."""
        began = self.server.clock.now()
        with pytest.raises(rtc.RpcError) as caught:
            await self.call(payload, **options)
        return int(caught.value.code), round(self.server.clock.now() - began, 3)


def play(scenario: Any, *, protocol: int = 2) -> None:
    """Run a scenario with two participants whose SDKs speak that client protocol."""

    async def main(clock: VirtualClock) -> None:
        server = LoopbackServer(clock=clock, timeline=Timeline(clock.now), credentials=CREDENTIALS)
        try:
            rooms = [await server.join(_mint(i), client_protocol=protocol) for i in "ab"]
            await clock.sleep(0.1)
            await scenario(Pair(server, *rooms))
        finally:
            await server.aclose()

    run_virtual(main)


def _mint(identity: str) -> str:
    token = api.AccessToken(CREDENTIALS.api_key, CREDENTIALS.api_secret).with_identity(identity)
    return token.with_grants(api.VideoGrants(room_join=True, room="demo")).to_jwt()


async def _for_ever(_: Any) -> str:
    await asyncio.Event().wait()
    return ""


def test_sync_and_async_handlers_answer() -> None:
    """A handler may return its answer or a coroutine of it; it is told who calls."""

    async def scenario(pair: Pair) -> None:
        async def later(data: rtc.RpcInvocationData) -> str:
            await asyncio.sleep(1)
            return data.caller_identity

        pair.answer(lambda data: data.payload.upper())
        assert await pair.call("hello") == "HELLO"
        pair.answer(later)
        assert await pair.call() == "a"
        pair.answer(lambda data: None)
        assert await pair.call() == ""

    play(scenario)


def test_an_unknown_method_is_unsupported() -> None:
    """Nothing registered: UNSUPPORTED_METHOD at once."""

    async def scenario(pair: Pair) -> None:
        assert await pair.failure() == (Code.UNSUPPORTED_METHOD, 0.0)

    play(scenario)


def test_a_destination_that_is_not_there_times_out() -> None:
    """As on a real server: CONNECTION_TIMEOUT after 7 seconds, not RECIPIENT_NOT_FOUND."""

    async def scenario(pair: Pair) -> None:
        assert await pair.failure(destination_identity="nobody") == (Code.CONNECTION_TIMEOUT, 7.0)
        failure = await pair.failure(destination_identity="nobody", max_round_trip_latency=2.0)
        assert failure == (Code.CONNECTION_TIMEOUT, 2.0)

    play(scenario)


def test_a_handler_has_eight_seconds_by_default() -> None:
    """A silent handler is cancelled after 15 - 7 seconds; the caller gets RESPONSE_TIMEOUT."""

    async def scenario(pair: Pair) -> None:
        pair.answer(_for_ever)
        assert await pair.failure() == (Code.RESPONSE_TIMEOUT, 8.0)
        assert await pair.failure(response_timeout=3.0) == (Code.RESPONSE_TIMEOUT, 1.0)

    play(scenario)


def test_a_handler_that_returns_no_string_never_answers() -> None:
    """The caller waits its whole response timeout."""

    async def scenario(pair: Pair) -> None:
        pair.answer(lambda data: 5)
        assert await pair.failure() == (Code.RESPONSE_TIMEOUT, 15.0)

    play(scenario)


def test_a_handlers_error_reaches_the_caller() -> None:
    """RpcError goes through unchanged, anything else becomes APPLICATION_ERROR."""

    async def scenario(pair: Pair) -> None:
        def mine(data: Any) -> str:
            raise rtc.RpcError(7, "mine", "data")

        def broken(data: Any) -> str:
            raise ValueError("no")

        pair.answer(mine)
        with pytest.raises(rtc.RpcError) as caught:
            await pair.call()
        assert (caught.value.code, caught.value.message, caught.value.data) == (7, "mine", "data")
        pair.answer(broken)
        assert await pair.failure() == (Code.APPLICATION_ERROR, 0.0)

    play(scenario)


@pytest.mark.parametrize("how", ["disconnects", "is removed", "is evicted"])
def test_a_recipient_that_goes_in_mid_call_ends_it(how: str) -> None:
    """The caller gets RECIPIENT_DISCONNECTED when the recipient leaves, however it does."""

    async def scenario(pair: Pair) -> None:
        pair.answer(_for_ever)
        call = asyncio.ensure_future(pair.failure())
        await pair.server.clock.sleep(1)
        if how == "disconnects":
            await pair.callee.disconnect()
        elif how == "is removed":
            pair.server.remove_participant("demo", "b")
        else:
            await pair.server.join(_mint("b"))
        took = JOINING if how == "is evicted" else 0.0
        assert await call == (Code.RECIPIENT_DISCONNECTED, 1.0 + took)

    play(scenario)


def test_the_callers_own_disconnect_ends_its_calls() -> None:
    """A pending call raises RECIPIENT_DISCONNECTED, a later one SEND_FAILED."""

    async def scenario(pair: Pair) -> None:
        pair.answer(_for_ever)
        call = asyncio.ensure_future(pair.failure())
        await pair.server.clock.sleep(1)
        await pair.caller.disconnect()
        assert await call == (Code.RECIPIENT_DISCONNECTED, 1.0)
        assert await pair.failure() == (Code.SEND_FAILED, 0.0)

    play(scenario)


def test_older_sdks_limit_payloads_to_15_kb() -> None:
    """Requests and answers beyond 15,360 bytes are refused with their codes."""

    async def scenario(pair: Pair) -> None:
        pair.answer(lambda data: "x" * 15_361)
        assert await pair.failure("x" * 15_361) == (Code.REQUEST_PAYLOAD_TOO_LARGE, 0.0)
        assert await pair.failure("x" * 15_360) == (Code.RESPONSE_PAYLOAD_TOO_LARGE, 0.0)

    play(scenario, protocol=0)


def test_newer_sdks_have_no_limit() -> None:
    """Between two SDKs of client protocol 2 large payloads go through."""

    async def scenario(pair: Pair) -> None:
        pair.answer(lambda data: data.payload)
        assert len(await pair.call("x" * 200_000)) == 200_000

    play(scenario)


@pytest.mark.skipif(not hasattr(rtc, "RpcInterceptor"), reason="this rtc has no interceptors")
def test_interceptors_wrap_calls_in_the_order_they_were_added() -> None:
    """The first one added is outermost, on both sides, and sees the call's errors."""
    seen: list[str] = []

    class Spy(rtc.RpcInterceptor):
        def __init__(self, name: str) -> None:
            self.name = name

        async def intercept_outgoing(self, call: rtc.RpcCallInfo, next: Any) -> str:
            seen.append(f"{self.name} calls {call.method}")
            return str(await next(call))

        async def intercept_incoming(self, invocation: rtc.RpcInvocationData, next: Any) -> Any:
            seen.append(f"{self.name} handles {invocation.method}")
            return await next(invocation)

    async def scenario(pair: Pair) -> None:
        outer, inner, other = Spy("outer"), Spy("inner"), Spy("other")
        pair.caller.local_participant.add_rpc_interceptor(outer)
        pair.caller.local_participant.add_rpc_interceptor(inner)
        pair.caller.local_participant.add_rpc_interceptor(outer)
        pair.callee.local_participant.add_rpc_interceptor(other)
        pair.answer(lambda data: "ok")
        assert await pair.call() == "ok"
        pair.caller.local_participant.remove_rpc_interceptor(inner)
        await pair.call()

    play(scenario)
    assert seen == [
        "outer calls m",
        "inner calls m",
        "other handles m",
        "outer calls m",
        "other handles m",
    ]
