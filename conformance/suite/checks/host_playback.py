"""HOST-10 to HOST-13, HOST-15, HOST-16: what becomes of audio that is in the chain at a swap."""

from __future__ import annotations

import itertools
from contextlib import aclosing

from conformance import host
from conformance.results.outcomes import NotApplicable
from conformance.suite.registry import check
from conformance.suite.scene.expect import expect
from conformance.suite.scene.host_chain import FRAME, ChainScene, Listener, ScriptedTail

LONG_AFTER = 5.0
"""Seconds after which nothing of an earlier segment can still be under way."""


@check("HOST-10", variants=("one-pending", "two-pending"))
async def flushed_segment_is_interrupted(scene: ChainScene, pending: str) -> None:
    """A segment that is playing at the swap ends where the playback was; one behind it, too."""
    output, listener = scene.wrapped(ScriptedTail(scene, "old"))
    root = listener.output
    due = [0.5] if pending == "one-pending" else [0.5, 0.0]
    for _ in due:
        await scene.speak(root, 2.0)
    await scene.clock.sleep(0.5)
    scene.swap(output, ScriptedTail(scene, "new"))
    await scene.finished(root)
    await scene.clock.sleep(LONG_AFTER)
    finished = listener.of("finished")
    expect(
        len(finished) == len(due) and all(event.interrupted for event in finished),
        "each segment that the old tail had finishes exactly once, interrupted",
        f"the top heard {listener.words}",
        hint="the new tail knows nothing of them: finish them where the tail is exchanged",
    )
    for event, position in zip(finished, due, strict=True):
        expect(
            position - FRAME <= event.position <= position + FRAME,
            f"it finishes at the position that had been played by then, {position:.2f} s",
            f"it finished at {event.position:.2f} s, with 2.00 s pushed",
            hint="what was pushed is not what was heard; take the time since playback started",
            at=event.at,
        )


@check("HOST-11", variants=("goes-on", "flushed-at-once"))
async def open_segment_moves_on(scene: ChainScene, rest: str) -> None:
    """A segment that is being captured at the swap goes on at the new tail, if it goes on."""
    old, new = ScriptedTail(scene, "old"), ScriptedTail(scene, "new")
    output, listener = scene.wrapped(old)
    root = listener.output
    more = 0.4 if rest == "goes-on" else 0.0
    first = await scene.push(root, 0.4)
    await scene.clock.sleep(0.2)
    scene.swap(output, new)
    second = await scene.push(root, more)
    root.flush()
    await scene.finished(root)
    await scene.clock.sleep(LONG_AFTER)
    for leaf, due in ((old, first), (new, second)):
        expect(
            leaf.frames == due,
            f"the {leaf.label} tail gets what was captured while it was bound, each frame once",
            f"it got {len(leaf.frames)} frames of {len(due)}",
        )
    finished = listener.of("finished")
    expect(
        len(finished) == 1,
        "the segment that was being captured finishes exactly once",
        f"the top heard {listener.words}",
        hint="only a flushed segment is over at the swap",
    )
    expect(
        finished[0].at >= 0.2 + more - FRAME,
        "it finishes when the new tail has played the rest",
        f"it finished {finished[0].at:.2f} s after its first frame",
    )


@check("HOST-12")
async def busy_swap_clears_the_old_tail(scene: ChainScene) -> None:
    """A busy tail is stopped once when it leaves, an idle one is left alone."""
    for what, flushed, due in (
        ("still being captured", False, ["flush", "clear"]),
        ("flushed and still playing", True, ["clear"]),
    ):
        old = ScriptedTail(scene, "old")
        output, listener = scene.wrapped(old)
        await scene.push(listener.output, 1.0)
        if flushed:
            listener.output.flush()
        await scene.clock.sleep(0.3)
        old.calls.clear()
        scene.swap(output, ScriptedTail(scene, "new"))
        await scene.clock.sleep(0.1)
        told = old.told("flush", "clear")
        expect(
            told == due,
            f"with a segment {what}, the tail that leaves is told {' and '.join(due)} once",
            f"it was told {' and '.join(told) or 'neither'}",
            hint="a tail that is not cleared goes on speaking over the new one",
        )
    idle = ScriptedTail(scene, "idle")
    output, listener = scene.wrapped(idle)
    await scene.speak(listener.output, 0.2)
    await scene.finished(listener.output)
    idle.calls.clear()
    scene.swap(output, ScriptedTail(scene, "new"))
    told = idle.told("flush", "clear")
    expect(
        not told,
        "an idle tail that leaves is not flushed or cleared",
        f"it was told {' and '.join(told)}",
    )


@check("HOST-13")
async def unbound_flush_ends_the_segment(scene: ChainScene) -> None:
    """A flush with nothing bound ends the segment, and does so after the flush."""
    for what, before_the_swap in (("before the segment", 0.0), ("within the segment", 1.0)):
        async with aclosing(host.SessionWrappers()) as wrappers:
            root = scene.wrap(ScriptedTail(scene, "old"), wrappers.above)
            output, listener = scene.bound(root), Listener(scene, root)
            await wrappers.text.capture_text("one two three four five ")
            await scene.push(root, before_the_swap)
            await scene.clock.sleep(before_the_swap / 2)
            scene.unbind(output)
            await scene.push(root, 1.0)
            wrappers.text.flush()
            calls = wrappers.count_calls()
            before = len(listener.of("finished"))
            root.flush()
            within = len(listener.of("finished")) - before
            await scene.finished(root)
            await wrappers.rotated()
            await scene.clock.sleep(LONG_AFTER)
            _expect_ended_once(listener, calls, within, before_the_swap / 2, what)


def _expect_ended_once(
    listener: Listener, calls: host.SegmentCalls, within: int, played: float, what: str
) -> None:
    expect(
        not within,
        f"unbound {what}, the segment's end is not told inside the flush",
        "playback_finished came before flush() had returned",
        hint="tell it in a later iteration of the loop; the synchronizer is in its own flush now",
    )
    finished = listener.of("finished")
    expect(
        len(finished) == 1
        and finished[0].interrupted
        and abs(finished[0].position - played) <= FRAME,
        f"unbound {what}, the segment finishes once, interrupted at {played:.2f} s",
        f"the top heard {listener.words}",
    )
    expect(
        calls.inputs_ended == 1,
        f"unbound {what}, the synchronizer ends its audio input once",
        f"it ended it {calls.inputs_ended} times",
    )
    expect(
        calls.rotations == 1,
        f"unbound {what}, the synchronizer rotates its segment once",
        f"it rotated it {calls.rotations} times",
    )


@check("HOST-15")
async def same_tail_changes_nothing(scene: ChainScene) -> None:
    """Binding the tail that is bound already is no swap."""
    tail = ScriptedTail(scene, "tail")
    output, listener = scene.wrapped(tail)
    root = listener.output
    scene.swap(output, tail)
    pushed = await scene.push(root, 0.4)
    scene.swap(output, tail)
    pushed += await scene.push(root, 0.4)
    root.flush()
    await scene.clock.sleep(0.2)
    scene.swap(output, tail)
    await scene.finished(root)
    expect(
        tail.calls == ["attach", "capture", "flush"],
        "the tail is told nothing by a swap to itself",
        f"it was told {', '.join(tail.calls)}",
        hint="return at once when the tail is bound already",
    )
    expect(
        output.audio is root and tail.frames == pushed,
        "the chain is the same and every frame reaches the tail once",
        f"the tail got {len(tail.frames)} of {len(pushed)} frames",
    )
    finished = listener.of("finished")
    expect(
        len(listener.of("started")) == 1
        and len(finished) == 1
        and not finished[0].interrupted
        and abs(finished[0].position - 0.8) < 0.001,
        "the segment plays to its end, 0.80 s",
        f"the top heard {listener.words}",
    )


@check("HOST-16")
async def progress_adds_up(scene: ChainScene) -> None:
    """What both tails played is placed side by side in the segment."""
    if not host.has_progress_events():
        raise NotApplicable("this livekit-agents has no playback_progressed event")
    for old_reports, new_reports in itertools.product((True, False), repeat=2):
        old = ScriptedTail(scene, "old", progress=old_reports)
        output, listener = scene.wrapped(old)
        root = listener.output
        await scene.push(root, 1.0)
        await scene.clock.sleep(0.4)
        scene.swap(output, ScriptedTail(scene, "new", progress=new_reports))
        await scene.push(root, 0.6)
        root.flush()
        await scene.finished(root)
        case = (
            f"with an old tail that {'reports' if old_reports else 'does not report'} progress"
            f" and a new one that {'does' if new_reports else 'does not'}"
        )
        runs = sorted((e.position, e.position + e.duration) for e in listener.of("progressed"))
        words = ", ".join(f"{start:.2f} to {end:.2f} s" for start, end in runs) or "nothing"
        expect(
            all(end <= start + 0.001 for (_, end), (start, _) in itertools.pairwise(runs)),
            f"{case}, no part of the segment is placed twice",
            f"placed: {words}",
            hint="the new tail counts from its own zero; add what had been captured before it",
        )
        total = sum(end - start for start, end in runs)
        expect(
            abs(total - 1.0) <= 2 * FRAME,
            f"{case}, the placed audio adds up to what was played, 0.40 s and 0.60 s",
            f"placed: {words}",
        )
