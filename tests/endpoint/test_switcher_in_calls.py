from __future__ import annotations

import asyncio
import json

import pytest
from livekit import rtc

from conformance import host
from conformance.endpoint import (
    AvatarSwitcher,
    Order,
    SwapError,
    SwapRequest,
    current_endpoint,
    swap_audio_endpoint,
)
from conformance.suite.scene.scene import mint

from .call import NEVER, Bind, Call, PluginAvatar, by_endpoint, play

BINDS = pytest.mark.parametrize("binds", [host.bind_tail, by_endpoint], ids=["host", "endpoint"])
START_FIRST = {"order": Order.START_THEN_CLOSE}


@BINDS
def test_a_new_avatar_that_never_joins_costs_no_speech(binds: Bind) -> None:
    """The whole speech is heard by the avatar before, and the new one's session is ended."""

    async def scenario(call: Call) -> None:
        await call.start(call.tail())
        switcher = call.switcher(join_timeout=3.0, **START_FIRST)
        old = PluginAvatar(call, "old")
        await switcher.swap(old)
        speech = call.speech(6.0, paced=True)
        await asyncio.sleep(1)
        with pytest.raises(SwapError, match="did not join the room within 3 s; the one before"):
            await switcher.swap(PluginAvatar(call, "new", joins_after=NEVER, binds=binds))
        await call.over(speech)
        assert old.tail.pcm == speech.pcm
        assert call.billing == ["old"]
        assert await call.heard_by(old.tail)

    play(scenario)


@BINDS
def test_the_old_avatar_speaks_until_the_new_one_can_be_heard(binds: Bind) -> None:
    """The exchange happens when the new avatar has joined, six seconds after its start."""

    async def scenario(call: Call) -> None:
        await call.start(call.tail())
        switcher = call.switcher(**START_FIRST)
        old = PluginAvatar(call, "old")
        await switcher.swap(old)
        speech = call.speech(10.0, paced=True)
        await asyncio.sleep(1)
        new = PluginAvatar(call, "new", joins_after=6.0, start_takes=0.5, binds=binds)
        await switcher.swap(new)
        await call.over(speech)
        assert old.tail.pcm + new.tail.pcm == speech.pcm
        assert [segment.played for segment in old.tail.heard] == [pytest.approx(7.5, abs=0.1)]
        assert call.billing == ["new"]

    play(scenario)


def test_a_swap_outlives_the_call_that_asked_for_it() -> None:
    """A caller whose time is up can ask again, and hears how it went; one avatar was made."""

    async def scenario(call: Call) -> None:
        await call.start(call.tail())
        user = await call.stage.server.join(mint(call.stage, "user", kind="standard"))
        made: list[str] = []

        def factory(request: SwapRequest) -> PluginAvatar:
            made.append(request.avatar)
            return PluginAvatar(call, request.avatar, start_takes=12.0)

        switcher = call.switcher()
        await switcher.swap(PluginAvatar(call, "old"))
        end = switcher.register_rpc(call.room, factory)

        async def ask() -> str:
            return await user.local_participant.perform_rpc(
                destination_identity="agent", method="swap_avatar", payload="slow"
            )

        for pause in (1.0, 20.0):  # the second time the swap is over
            with pytest.raises(rtc.RpcError) as caught:
                await ask()
            assert caught.value.code == rtc.RpcError.ErrorCode.RESPONSE_TIMEOUT
            await asyncio.sleep(pause)
            assert json.loads(await ask()) == {"avatar": "slow"}
            assert made == ["slow"]
            assert call.billing == ["slow"]
            made.clear()
            await switcher.swap(PluginAvatar(call, "other"))
        end()
        await user.disconnect()

    play(scenario)


@pytest.mark.parametrize("order", list(Order))
def test_closing_outlives_a_swap_that_is_cancelled(order: Order) -> None:
    """Cancelled while the old avatar is being closed, a swap leaves no session at a vendor."""

    async def scenario(call: Call) -> None:
        await call.start(call.tail())
        switcher = call.switcher(order=order)
        await switcher.swap(PluginAvatar(call, "old", close_takes=3.0))
        swap = asyncio.ensure_future(switcher.swap(PluginAvatar(call, "new")))
        await asyncio.sleep(1.5)
        assert call.billing == (["old"] if order is Order.CLOSE_THEN_START else ["old", "new"])
        swap.cancel()
        with pytest.raises(asyncio.CancelledError):
            await swap
        await asyncio.sleep(5)
        assert call.billing == ([] if order is Order.CLOSE_THEN_START else ["new"])
        await call.over(call.speech(0.5))

    play(scenario)


def test_a_closing_that_takes_longer_than_is_waited_for_goes_on() -> None:
    """The next avatar speaks meanwhile, and the old one's session ends in the end."""

    async def scenario(call: Call) -> None:
        await call.start(call.tail())
        switcher = call.switcher(close_timeout=2.0)
        await switcher.swap(PluginAvatar(call, "old", close_takes=3.0))
        new = PluginAvatar(call, "new")
        await switcher.swap(new)
        assert await call.heard_by(new.tail)
        await asyncio.sleep(2)
        assert call.billing == ["new"]

    play(scenario)


def test_aclose_waits_for_every_closing() -> None:
    """After it, no session is left at any vendor, the current avatar's included."""

    async def scenario(call: Call) -> None:
        await call.start(call.tail())
        switcher = call.switcher()
        await switcher.swap(PluginAvatar(call, "old", close_takes=5.0))
        swap = asyncio.ensure_future(switcher.swap(PluginAvatar(call, "new")))
        await asyncio.sleep(1)
        swap.cancel()
        await switcher.aclose()
        assert call.billing == []
        with pytest.raises(SwapError, match="the call is over"):
            await switcher.swap(PluginAvatar(call, "late"))

    play(scenario)


def test_aclose_goes_back_to_what_was_there_before() -> None:
    """An application that is done with avatars goes on speaking at its own output."""

    async def scenario(call: Call) -> None:
        app = call.tail()
        await call.start(app)
        switcher = call.switcher()
        await switcher.swap(PluginAvatar(call, "avatar"))
        await switcher.aclose()
        await switcher.aclose()
        assert await call.heard_by(app)

    play(scenario)


@pytest.mark.parametrize("ends", ["session", "room", "switcher"])
@pytest.mark.parametrize("order", list(Order))
@pytest.mark.parametrize("after", [0.2, 1.5], ids=["closing", "starting"])
def test_no_avatar_outlives_the_call(ends: str, order: Order, after: float) -> None:
    """The call that ends in the middle of a swap leaves no session at any vendor."""

    async def scenario(call: Call) -> None:
        await call.start(call.tail())
        switcher = call.switcher(order=order)
        await switcher.swap(PluginAvatar(call, "old", close_takes=1.0))
        new = PluginAvatar(call, "new", start_takes=4.0)
        swap = asyncio.ensure_future(switcher.swap(new))
        await asyncio.sleep(after)
        if ends == "session":
            await call.session.aclose()
        elif ends == "room":
            await call.room.disconnect()
        else:
            await switcher.aclose()
        with pytest.raises(SwapError):
            await asyncio.wait_for(swap, 20)
        await asyncio.sleep(20)
        assert call.billing == []
        assert switcher.current is None

    play(scenario)


def test_the_job_that_shuts_down_ends_the_avatar() -> None:
    """The job waits until the avatar is closed, and no other one is started."""

    async def scenario(call: Call) -> None:
        await call.start(call.tail())
        switcher = call.switcher()
        await switcher.swap(PluginAvatar(call, "old"))
        swap = asyncio.ensure_future(switcher.swap(PluginAvatar(call, "new", start_takes=4.0)))
        await asyncio.sleep(1)
        await call.job.shutdown()
        assert call.billing == []
        with pytest.raises(SwapError, match="the call is over"):
            await swap

    play(scenario)


@pytest.mark.parametrize("asked", ["hangs", "releases"])
def test_a_factory_blocks_nobody(asked: str) -> None:
    """One that never returns is given up in time; one that releases the avatar is no dead-lock."""

    async def scenario(call: Call) -> None:
        await call.start(call.tail())
        user = await call.stage.server.join(mint(call.stage, "user", kind="standard"))
        switcher = call.switcher(factory_timeout=4.0)
        old = PluginAvatar(call, "old")
        await switcher.swap(old)

        async def factory(request: SwapRequest) -> PluginAvatar:
            if request.avatar == "hangs":
                await asyncio.sleep(NEVER)
            if request.avatar == "releases":
                await switcher.release()
            return PluginAvatar(call, request.avatar)

        switcher.register_rpc(call.room, factory)

        async def ask(avatar: str) -> str:
            return await asyncio.wait_for(
                user.local_participant.perform_rpc(
                    destination_identity="agent",
                    method="swap_avatar",
                    payload=avatar,
                    response_timeout=40.0,
                ),
                60,
            )

        if asked == "hangs":
            with pytest.raises(rtc.RpcError) as caught:
                await ask("hangs")
            assert caught.value.message == "no avatar 'hangs' was made within 4 s"
            assert await call.heard_by(old.tail)
            await ask("next")
            assert call.billing == ["next"]
        else:
            await ask("releases")
            assert call.billing == ["releases"]
        await user.disconnect()

    play(scenario)


def test_release_to_the_rooms_output_leaves_no_listener() -> None:
    """Round after round of avatar and room output, the room's output has as many listeners."""

    async def scenario(call: Call) -> None:
        await call.start(None)
        output = call.session.output
        track = current_endpoint(output)
        assert track is not None
        switcher = call.switcher()
        counts = []
        for _ in range(4):
            await switcher.swap(PluginAvatar(call, "avatar"))
            await switcher.release(sink=track)
            counts.append(host.listener_counts(track))
        assert counts == [counts[0]] * 4

    play(scenario)


@pytest.mark.parametrize("by", ["release", "failure"])
def test_what_the_application_has_bound_since_stays(by: str) -> None:
    """Neither a release nor a swap that fails takes away another's endpoint."""

    async def scenario(call: Call) -> None:
        await call.start(call.tail())
        switcher = call.switcher()
        await switcher.swap(PluginAvatar(call, "old"))
        own = call.tail("own")
        binding = swap_audio_endpoint(call.session.output, own)
        if by == "release":
            await switcher.release()
        else:
            with pytest.raises(SwapError, match="no credit left"):
                await switcher.swap(PluginAvatar(call, "new", fails=True))
        assert binding.owner
        assert await call.heard_by(own)
        assert call.billing == []

    play(scenario)


def test_what_the_application_binds_while_an_avatar_starts_stays_when_that_fails() -> None:
    """The avatar that fails takes back its own endpoint only."""

    async def scenario(call: Call) -> None:
        await call.start(call.tail())
        switcher = call.switcher(join_timeout=3.0)
        swap = asyncio.ensure_future(
            switcher.swap(PluginAvatar(call, "new", joins_after=NEVER, start_takes=0.5))
        )
        await asyncio.sleep(1)
        own = call.tail("own")
        swap_audio_endpoint(call.session.output, own)
        with pytest.raises(SwapError):
            await swap
        assert await call.heard_by(own)

    play(scenario)


@BINDS
@pytest.mark.parametrize("order", list(Order))
def test_a_closed_avatars_tail_never_comes_back(order: Order, binds: Bind) -> None:
    """Where plugins put the former tail back, speech goes on at what was there before them."""

    async def scenario(call: Call) -> None:
        app = call.tail()
        await call.start(app)
        switcher = call.switcher(order=order)
        for name in ("one", "two", "three"):
            avatar = PluginAvatar(call, name, restores=True, binds=binds)
            await switcher.swap(avatar)
            assert await call.heard_by(avatar.tail)
        await switcher.release()
        assert await call.heard_by(app)
        assert call.billing == []

    play(scenario)


@BINDS
def test_a_start_that_survives_its_cancellation_binds_nothing(binds: Bind) -> None:
    """The current avatar keeps the endpoint, and the stray one's session is ended."""

    async def scenario(call: Call) -> None:
        await call.start(call.tail())
        switcher = call.switcher(start_timeout=2.0, **START_FIRST)
        old = PluginAvatar(call, "old")
        await switcher.swap(old)
        stubborn = PluginAvatar(call, "stubborn", start_takes=5.0, stubborn=True, binds=binds)
        with pytest.raises(SwapError, match=r"start\(\) did not return within 2 s"):
            await switcher.swap(stubborn)
        await asyncio.sleep(20)
        assert current_endpoint(call.session.output) is old.tail
        assert await call.heard_by(old.tail)
        assert call.billing == ["old"]

    play(scenario)


def test_a_session_that_has_closed_gets_no_avatar() -> None:
    """A swap that is asked for after the end is refused before anything is started."""

    async def scenario(call: Call) -> None:
        await call.start(call.tail())
        early = call.switcher()
        await call.session.aclose()
        for switcher in (early, AvatarSwitcher(call.session, call.room)):
            with pytest.raises(SwapError, match="the call is over"):
                await switcher.swap(PluginAvatar(call, "late"))
        assert call.billing == []

    play(scenario)
