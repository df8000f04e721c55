from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from conformance.endpoint import (
    AvatarSwitcher,
    Order,
    SwapError,
    current_endpoint,
    swap_audio_endpoint,
)
from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual
from conformance.results.timeline import Timeline
from conformance.suite.scene.host_chain import ChainScene, EndpointSwap, Listener, ScriptedTail

BOTH = pytest.mark.parametrize("order", list(Order))


class FakeAvatar:
    """An avatar that binds a leaf; ``log`` is shared, so that the order of events shows."""

    def __init__(
        self,
        stage: Stage,
        name: str,
        *,
        identity: str | None = None,
        start_takes: float = 0.0,
        fails: Exception | None = None,
        joins: bool = True,
        close_takes: float = 0.0,
        close_fails: bool = False,
        assigns: bool = False,
        unbinds_at_close: bool = False,
    ) -> None:
        self.name = name
        self.avatar_identity = identity or name
        self.leaf = ScriptedTail(stage.scene, name)
        self._stage = stage
        self._start_takes = start_takes
        self._fails = fails
        self._joins = joins
        self._close_takes = close_takes
        self._close_fails = close_fails
        self._assigns = assigns
        self._unbinds_at_close = unbinds_at_close

    async def start(self, agent_session: Any, room: Any) -> None:
        self._stage.log.append(f"start {self.name}")
        if self._assigns:
            agent_session.output.audio = self.leaf
        else:
            swap_audio_endpoint(agent_session.output, self.leaf)
        await asyncio.sleep(self._start_takes)
        if self._fails is not None:
            raise self._fails
        self._stage.log.append(f"started {self.name}")

    async def wait_for_join(self, *, timeout: float | None = 30.0) -> None:
        if not self._joins:
            await asyncio.wait_for(asyncio.get_running_loop().create_future(), timeout)

    async def aclose(self) -> None:
        self._stage.log.append(f"close {self.name}")
        await asyncio.sleep(self._close_takes)
        if self._unbinds_at_close:
            swap_audio_endpoint(self._stage.session.output, None)
        if self._close_fails:
            raise ConnectionError("cannot be closed")


@dataclass
class Stage:
    """A chain in an agent session, as far as a switcher looks at one."""

    scene: ChainScene
    session: Any = None
    top: Any = None
    log: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        root = self.scene.wrap(ScriptedTail(self.scene, "room"))
        self.session = SimpleNamespace(output=self.scene.bound(root))
        self.top = Listener(self.scene, root)

    def switcher(self, **options: Any) -> AvatarSwitcher:
        room: Any = None
        return AvatarSwitcher(self.session, room, **options)

    @property
    def bound(self) -> str:
        bound = current_endpoint(self.session.output)
        return "nothing" if bound is None else bound.label


def play(scenario: Callable[[Stage], Awaitable[None]]) -> None:
    """Run ``scenario`` on virtual time."""

    async def main(clock: VirtualClock) -> None:
        await scenario(Stage(ChainScene(EndpointSwap(), clock, Timeline(clock.now))))

    run_virtual(main)


@pytest.mark.parametrize(
    ("order", "log"),
    [
        (Order.CLOSE_THEN_START, ["close old", "start new", "started new"]),
        (Order.START_THEN_CLOSE, ["start new", "started new", "close old"]),
    ],
)
def test_a_swap_keeps_to_its_order(order: Order, log: list[str]) -> None:
    """The old avatar is closed before or after the new one starts, as asked, and speech goes on."""

    async def scenario(stage: Stage) -> None:
        switcher = stage.switcher(order=order)
        await switcher.swap(FakeAvatar(stage, "old"))
        stage.log.clear()
        new = FakeAvatar(stage, "new")
        await switcher.swap(new)
        assert stage.log == log
        assert switcher.current is new
        assert stage.bound == "new"
        assert stage.session.output.audio is stage.top.output
        await stage.scene.speak(stage.top.output, 0.2)
        await stage.scene.finished(stage.top.output)
        assert len(new.leaf.frames) == 10

    play(scenario)


def test_nothing_is_bound_between_closing_and_starting() -> None:
    """Speech during a slow start ends at once instead of waiting for an avatar that is gone."""

    async def scenario(stage: Stage) -> None:
        class Slow(FakeAvatar):
            async def start(self, agent_session: Any, room: Any) -> None:
                await asyncio.sleep(5)
                await super().start(agent_session, room)

        switcher = stage.switcher(avatar=None)
        await switcher.swap(FakeAvatar(stage, "old"))
        swap = asyncio.ensure_future(switcher.swap(Slow(stage, "new")))
        await stage.scene.clock.sleep(1)
        assert stage.bound == "nothing"
        await stage.scene.speak(stage.top.output, 1.0)
        await stage.scene.finished(stage.top.output, within=0.1)
        await swap
        assert stage.bound == "new"

    play(scenario)


def test_a_failed_replacement_leaves_the_open_avatar_speaking() -> None:
    """Started first, a replacement that fails is closed and the old avatar's tail is back."""

    async def scenario(stage: Stage) -> None:
        switcher = stage.switcher(order=Order.START_THEN_CLOSE)
        old = FakeAvatar(stage, "old")
        await switcher.swap(old)
        with pytest.raises(SwapError, match="did not start: quota; the one before goes on") as e:
            await switcher.swap(FakeAvatar(stage, "new", fails=RuntimeError("quota")))
        assert e.value.kept
        assert switcher.current is old
        assert stage.bound == "old"
        assert stage.log[-1] == "close new"
        await stage.scene.speak(stage.top.output, 0.2)
        await stage.scene.finished(stage.top.output)
        assert len(old.leaf.frames) == 10

    play(scenario)


def test_a_failed_replacement_of_a_closed_avatar_leaves_nothing_bound() -> None:
    """Closed first, there is nothing to go back to: the chain is whole, and speech completes."""

    async def scenario(stage: Stage) -> None:
        switcher = stage.switcher(order=Order.CLOSE_THEN_START)
        await switcher.swap(FakeAvatar(stage, "old"))
        with pytest.raises(SwapError, match="quota; no avatar is bound now") as caught:
            await switcher.swap(FakeAvatar(stage, "new", fails=RuntimeError("quota")))
        assert not caught.value.kept
        assert switcher.current is None
        assert stage.bound == "nothing"
        assert stage.session.output.audio is stage.top.output
        await stage.scene.speak(stage.top.output, 0.2)
        await stage.scene.finished(stage.top.output, within=0.1)

    play(scenario)


def test_a_failed_first_avatar_leaves_the_tail_that_was_there() -> None:
    """Without an avatar before, what was bound before is bound again."""

    async def scenario(stage: Stage) -> None:
        with pytest.raises(SwapError):
            await stage.switcher().swap(FakeAvatar(stage, "new", fails=RuntimeError("no")))
        assert stage.bound == "room"

    play(scenario)


@pytest.mark.parametrize(
    ("flaw", "message", "seconds"),
    [
        ({"start_takes": 999.0}, r"start\(\) did not return within 7 s", 7.0),
        ({"joins": False}, "the avatar did not join the room within 5 s", 5.0),
    ],
)
def test_waiting_for_the_replacement_is_bounded(
    flaw: dict[str, Any], message: str, seconds: float
) -> None:
    """An avatar that never starts or never joins is given up in time."""

    async def scenario(stage: Stage) -> None:
        switcher = stage.switcher(order=Order.START_THEN_CLOSE, start_timeout=7.0, join_timeout=5.0)
        await switcher.swap(FakeAvatar(stage, "old"))
        began = stage.scene.clock.now()
        with pytest.raises(SwapError, match=message):
            await switcher.swap(FakeAvatar(stage, "new", **flaw))
        assert seconds <= stage.scene.clock.now() - began <= seconds + 1
        assert stage.bound == "old"

    play(scenario)


def test_joining_need_not_be_waited_for() -> None:
    """With no join timeout a swap is done when the avatar has started."""

    async def scenario(stage: Stage) -> None:
        switcher = stage.switcher(join_timeout=None)
        await switcher.swap(FakeAvatar(stage, "new", joins=False))
        assert stage.bound == "new"

    play(scenario)


@BOTH
def test_a_cancelled_swap_is_rolled_back(order: Order) -> None:
    """Cancelling a swap closes the half-started avatar and leaves nothing of it bound."""

    async def scenario(stage: Stage) -> None:
        switcher = stage.switcher(order=order)
        await switcher.swap(FakeAvatar(stage, "old"))
        swap = asyncio.ensure_future(switcher.swap(FakeAvatar(stage, "new", start_takes=9.0)))
        await stage.scene.clock.sleep(1)
        assert stage.bound == ("old" if order is Order.START_THEN_CLOSE else "new")
        swap.cancel()
        with pytest.raises(asyncio.CancelledError):
            await swap
        assert stage.log[-1] == "close new"
        assert stage.bound == ("old" if order is Order.START_THEN_CLOSE else "nothing")

    play(scenario)


@BOTH
@pytest.mark.parametrize("flaw", [{"close_fails": True}, {"close_takes": 999.0}])
def test_an_avatar_that_cannot_be_closed_keeps_nobody_out(
    order: Order, flaw: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """The swap goes on when the old avatar fails to close, or never finishes closing."""

    async def scenario(stage: Stage) -> None:
        switcher = stage.switcher(order=order)
        await switcher.swap(FakeAvatar(stage, "old", **flaw))
        await switcher.swap(FakeAvatar(stage, "new"))
        assert stage.bound == "new"
        assert stage.scene.clock.now() < 12

    play(scenario)
    assert "failed to close the avatar" in caplog.text


def test_an_avatar_of_the_same_identity_is_started_last() -> None:
    """Closing an avatar removes its identity from the room, so the new one must come after."""

    async def scenario(stage: Stage) -> None:
        switcher = stage.switcher(order=Order.START_THEN_CLOSE)
        await switcher.swap(FakeAvatar(stage, "old", identity="avatar"))
        stage.log.clear()
        await switcher.swap(FakeAvatar(stage, "new", identity="avatar"))
        assert stage.log == ["close old", "start new", "started new"]

    play(scenario)


def test_a_plugin_that_assigns_the_output_keeps_the_wrappers_here() -> None:
    """The wrappers are put back above an avatar that assigned output.audio in its start."""

    async def scenario(stage: Stage) -> None:
        switcher = stage.switcher()
        await switcher.swap(FakeAvatar(stage, "old", assigns=True))
        new = FakeAvatar(stage, "new", assigns=True)
        await switcher.swap(new)
        assert stage.session.output.audio is stage.top.output
        assert stage.bound == "new"
        await stage.scene.speak(stage.top.output, 0.2)
        await stage.scene.finished(stage.top.output)
        assert stage.top.words == "started, finished at 0.20 s"

    play(scenario)


def test_a_plugin_that_assigns_and_fails_is_undone() -> None:
    """A failed start that had assigned output.audio leaves the wrappers and the tail as before."""

    async def scenario(stage: Stage) -> None:
        switcher = stage.switcher()
        flawed = FakeAvatar(stage, "new", assigns=True, fails=RuntimeError("no"))
        with pytest.raises(SwapError):
            await switcher.swap(flawed)
        assert stage.session.output.audio is stage.top.output
        assert stage.bound == "room"

    play(scenario)


def test_an_avatar_that_unbinds_whatever_is_bound_does_not_take_the_new_one_away() -> None:
    """The new avatar's tail is bound again when the old one's close took it away."""

    async def scenario(stage: Stage) -> None:
        switcher = stage.switcher(order=Order.START_THEN_CLOSE)
        await switcher.swap(FakeAvatar(stage, "old", unbinds_at_close=True))
        await switcher.swap(FakeAvatar(stage, "new"))
        assert stage.bound == "new"

    play(scenario)


def test_swaps_happen_one_at_a_time() -> None:
    """Two swaps asked for at once are carried out one after the other."""

    async def scenario(stage: Stage) -> None:
        switcher = stage.switcher()
        avatars = [FakeAvatar(stage, name, start_takes=2.0) for name in ("one", "two")]
        await asyncio.gather(*(switcher.swap(avatar) for avatar in avatars))
        assert stage.log == ["start one", "started one", "close one", "start two", "started two"]
        assert stage.bound == "two"

    play(scenario)


def test_a_swap_to_the_current_avatar_changes_nothing() -> None:
    """The avatar that speaks already is neither closed nor started."""

    async def scenario(stage: Stage) -> None:
        switcher = stage.switcher()
        avatar = FakeAvatar(stage, "avatar")
        await switcher.swap(avatar)
        stage.log.clear()
        await switcher.swap(avatar)
        assert stage.log == []

    play(scenario)


@pytest.mark.parametrize("to_room", [True, False])
def test_back_to_no_avatar(to_room: bool) -> None:
    """After a release speech completes, and is heard at the sink that was given."""

    async def scenario(stage: Stage) -> None:
        switcher = stage.switcher()
        await switcher.swap(FakeAvatar(stage, "avatar"))
        room = ScriptedTail(stage.scene, "track")
        await switcher.release(sink=room if to_room else None)
        assert switcher.current is None
        assert stage.bound == ("track" if to_room else "nothing")
        await stage.scene.speak(stage.top.output, 0.2)
        await stage.scene.finished(stage.top.output)
        assert len(room.frames) == (10 if to_room else 0)

    play(scenario)
