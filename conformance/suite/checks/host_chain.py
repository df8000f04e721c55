"""HOST-01 to HOST-09, HOST-14: the shape of the chain, and what is connected to what in it."""

from __future__ import annotations

from contextlib import aclosing

from livekit.agents.voice import io

from conformance import host
from conformance.suite.registry import check
from conformance.suite.scene.expect import expect
from conformance.suite.scene.host_chain import ChainScene, Listener, ScriptedTail


@check("HOST-01")
async def inserts_one_swap_point(scene: ChainScene) -> None:
    """Wrapping a bare leaf puts one swap point between the two."""
    leaf = ScriptedTail(scene, "leaf")
    root = scene.wrap(leaf)
    chain = list(host.chain_of(root))
    points = scene.swap_points(root)
    expect(
        len(points) == 1 and chain[0] is root and chain[-1] is leaf and chain[-2] is points[0],
        "exactly one swap point between the wrapper and the leaf",
        _words(scene, root),
        hint="put the swap point in where a wrapper is built above an output with none below it",
    )


@check("HOST-02")
async def inserts_no_second_swap_point(scene: ChainScene) -> None:
    """Neither more wrappers nor more swaps make more swap points."""
    twice = scene.wrap(scene.wrap(ScriptedTail(scene, "leaf")))
    expect(
        len(scene.swap_points(twice)) == 1,
        "one swap point below two wrappers",
        _words(scene, twice),
        hint="look at the whole chain below before a swap point is put in",
    )
    point = scene.swap_points(scene.wrap(ScriptedTail(scene, "leaf")))[0]
    above = scene.wrap(point)
    expect(
        scene.swap_points(above) == [point],
        "no further swap point above an existing one",
        _words(scene, above),
    )
    output, _ = scene.wrapped(ScriptedTail(scene, "old"))
    for number in range(3):
        scene.swap(output, ScriptedTail(scene, f"new {number}"))
    expect(
        len(scene.swap_points(output.audio)) == 1,
        "one swap point after three swaps",
        _words(scene, output.audio),
    )


@check("HOST-03")
async def keeps_outputs_and_listeners(scene: ChainScene) -> None:
    """A swap leaves the top, every wrapper and every listener as they were."""
    lower = scene.wrap(ScriptedTail(scene, "old"))
    root = scene.wrap(lower)
    output = scene.bound(root)
    user = Listener(scene, root)
    before = [(wrapper, _listeners(wrapper)) for wrapper in (root, lower)]
    scene.swap(output, ScriptedTail(scene, "new"))
    expect(
        output.audio is root,
        "output.audio is the same wrapper after the swap",
        f"it is {_words(scene, output.audio)}",
        hint="exchange the tail below the swap point; assigning output.audio drops the wrappers",
    )
    chain = list(host.chain_of(root))
    expect(
        all(any(o is wrapper for o in chain) for wrapper, _ in before),
        "every wrapper is still in the chain",
        _words(scene, root),
    )
    changed = [w.label for w, listeners in before if _listeners(w) != listeners]
    expect(not changed, "every listener stays", f"those of {changed} changed")
    await scene.speak(root, 0.1)
    await scene.finished(root)
    expect(
        [e.kind for e in user.heard if e.kind != "progressed"] == ["started", "finished"],
        "the user's listeners hear the next segment",
        f"they heard {user.words}",
    )


@check("HOST-04")
async def falls_back_to_replacing(scene: ChainScene) -> None:
    """Where there is no swap point, a swap replaces the output."""
    for what, present in (("nothing", None), ("a bare leaf", ScriptedTail(scene, "old"))):
        output, new = scene.bound(present), ScriptedTail(scene, "new")
        scene.swap(output, new)
        expect(
            output.audio is new,
            f"with {what} in the output, the new tail becomes the output",
            f"the output is {_words(scene, output.audio)}",
        )
        expect(
            new.told("attach", "detach") == ["attach"],
            "the new output is attached once",
            f"it was told {new.calls}",
        )


@check("HOST-05")
async def assignment_replaces_the_chain(scene: ChainScene) -> None:
    """A plain assignment replaces wrappers and all."""
    old, new = ScriptedTail(scene, "old"), ScriptedTail(scene, "new")
    output, listener = scene.wrapped(old)
    output.audio = new
    expect(
        output.audio is new,
        "output.audio is what was assigned, without the wrappers of before",
        f"it is {_words(scene, output.audio)}",
        hint="keep the assignment for replacing everything, and a call of its own for the tail",
    )
    expect(
        (old.told("attach", "detach"), new.told("attach", "detach"))
        == (["attach", "detach"], ["attach"]),
        "the old chain is detached and the new output attached",
        f"the old tail was told {old.calls}, the new one {new.calls}",
    )
    await scene.speak(new, 0.1)
    await scene.finished(new)
    expect(not listener.heard, "the old chain hears nothing more", f"it heard {listener.words}")


@check("HOST-06")
async def takes_a_chain_as_tail(scene: ChainScene) -> None:
    """A tail may be a chain of its own."""
    output, listener = scene.wrapped(ScriptedTail(scene, "old"))
    leaf = ScriptedTail(scene, "new")
    scene.swap(output, scene.wrap(leaf))
    root = _top(output)
    pushed = await scene.push(root, 0.2)
    root.flush()
    await scene.finished(root)
    expect(
        leaf.frames == pushed,
        "the bottom of the new chain gets every frame once",
        f"it got {len(leaf.frames)} of {len(pushed)} frames",
    )
    _expect_whole_segment(listener, 0.2, "the new chain's events reach the top")


@check("HOST-07")
async def new_tail_reaches_the_top(scene: ChainScene) -> None:
    """The new tail is heard at the top."""
    output, listener = scene.wrapped(ScriptedTail(scene, "old"))
    scene.swap(output, ScriptedTail(scene, "new"))
    root = _top(output)
    await scene.speak(root, 0.2)
    await scene.finished(root)
    _expect_whole_segment(listener, 0.2, "the new tail's events reach the top")


@check("HOST-08")
async def old_tail_is_cut_off(scene: ChainScene) -> None:
    """The old tail is not heard any more, not even in the middle of a segment."""
    old = ScriptedTail(scene, "old")
    output, listener = scene.wrapped(old)
    root = _top(output)
    await scene.speak(root, 0.2)
    await scene.finished(root)
    scene.swap(output, ScriptedTail(scene, "new"))
    listener.heard.clear()
    await scene.speak(root, 1.0)
    await scene.clock.sleep(0.5)
    old.on_playback_started(created_at=0.0)
    host.report_progress(old, started_at=0.0, offset=0.0, duration=7.0)
    old.emit("playback_finished", io.PlaybackFinishedEvent(7.0, interrupted=True))
    await scene.clock.sleep(0.1)
    expect(
        [e.kind for e in listener.heard] == ["started"],
        "nothing that the old tail emits after the swap reaches the chain",
        f"the top heard {listener.words}"
        + (" and its progress" if listener.of("progressed") else ""),
        hint="take the listeners off the tail that leaves",
        at=scene.clock.now(),
    )
    await scene.finished(root)
    _expect_whole_segment(listener, 1.0, "the new tail's segment is left alone")


@check("HOST-09")
async def attachment_follows_the_tail(scene: ChainScene) -> None:
    """Attach and detach follow the current tail."""
    old, new, last = (
        ScriptedTail(scene, "old"),
        ScriptedTail(scene, "new"),
        ScriptedTail(scene, "last"),
    )
    output, _ = scene.wrapped(old)
    _expect_attachment([(old, ["attach"])], "the tail is attached with the chain")
    scene.swap(output, new)
    _expect_attachment(
        [(old, ["attach", "detach"]), (new, ["attach"])],
        "a swap detaches the one, attaches the other",
    )
    output.set_audio_enabled(False)
    _expect_attachment(
        [(old, ["attach", "detach"]), (new, ["attach", "detach"])],
        "switching audio off detaches the current tail only",
    )
    scene.swap(output, last)
    _expect_attachment(
        [(new, ["attach", "detach"]), (last, [])], "a swap while detached fires neither"
    )
    output.set_audio_enabled(True)
    _expect_attachment(
        [(new, ["attach", "detach"]), (last, ["attach"])],
        "switching audio on attaches the current tail only",
    )


@check("HOST-14")
async def format_follows_the_tail(scene: ChainScene) -> None:
    """The chain asks for the sample rate of its tail, and can pause when its tail can."""
    async with aclosing(host.SessionWrappers()) as wrappers:
        tail = ScriptedTail(scene, "old", sample_rate=16000, can_pause=True)
        output = scene.bound(scene.wrap(tail, wrappers.above))
        for rate, can_pause in ((16000, True), (24000, False), (None, True)):
            if rate != 16000:
                scene.swap(
                    output, ScriptedTail(scene, "new", sample_rate=rate, can_pause=can_pause)
                )
            root = _top(output)
            expect(
                root.sample_rate == rate,
                f"sample_rate is the tail's, {rate}",
                f"it is {root.sample_rate}",
                hint="look the tail's sample rate up; a copy goes stale with the next swap",
            )
            expect(
                root.can_pause == can_pause,
                f"can_pause is the tail's, {can_pause}",
                f"it is {root.can_pause}",
            )


def _top(output: io.AgentOutput) -> io.AudioOutput:
    top = output.audio
    expect(top is not None, "the output has a chain", "output.audio is None")
    assert top is not None
    return top


def _listeners(output: io.AudioOutput) -> list[object]:
    events = ("playback_started", "playback_progressed", "playback_finished")
    return [listener for event in events for listener in host.listeners(output, event)]


def _words(scene: ChainScene, root: io.AudioOutput | None) -> str:
    chain = [
        "swap point" if scene.chain.is_swap_point(output) else output.label
        for output in host.chain_of(root)
    ]
    return " -> ".join(chain) or "nothing"


def _expect_whole_segment(listener: Listener, seconds: float, expected: str) -> None:
    told = [event for event in listener.heard if event.kind != "progressed"]
    finished = listener.of("finished")
    expect(
        [event.kind for event in told] == ["started", "finished"]
        and not finished[0].interrupted
        and abs(finished[0].position - seconds) < 0.001,
        f"{expected}: started, and finished at {seconds:.2f} s",
        f"the top heard {listener.words}",
    )


def _expect_attachment(tails: list[tuple[ScriptedTail, list[str]]], expected: str) -> None:
    for leaf, calls in tails:
        expect(
            leaf.told("attach", "detach") == calls,
            expected,
            f"the {leaf.label} tail was told {leaf.told('attach', 'detach')}, not {calls}",
        )
