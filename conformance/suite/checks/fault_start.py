"""FAULT, continued: a start that is cancelled, and a worker that leaves."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Coroutine, Generator
from dataclasses import replace
from typing import Any

from conformance.errors import KitError
from conformance.results.outcomes import NotApplicable
from conformance.suite.registry import check
from conformance.suite.scene.audio_evidence import audio_evidence
from conformance.suite.scene.bounds import bound_hint
from conformance.suite.scene.chain import describe
from conformance.suite.scene.departures import (
    expect_worker,
    let_leave,
    started_with_worker,
    without_worker,
)
from conformance.suite.scene.expect import audio_difference, expect
from conformance.suite.scene.leak_scenarios import GROWTH_HINT, left_by_a_call
from conformance.suite.scene.resources import ResourceSnapshot
from conformance.suite.scene.scene import Scene

MOST_AWAITS = 400
"""No start has more awaits than this one; a start with more would never be done."""

ROLL_BACK = "undo in `except BaseException:` what start() has done so far, and raise again"


class Cancelling:
    """A coroutine that gets cancelled at its n-th await, counted from 1.

    ``reached`` tells afterwards whether it awaited that often.
    """

    def __init__(self, coroutine: Coroutine[Any, Any, None], at: int) -> None:
        self._coroutine = coroutine
        self._at = at
        self.reached = False

    async def run(self) -> None:
        """Run the coroutine in the current task, and cancel that once."""
        await self._step()

    @types.coroutine
    def _step(self) -> Generator[Any, None, None]:
        task = asyncio.current_task()
        assert task is not None
        iterator = self._coroutine.__await__()
        awaits = 0
        pending = next_of(iterator, None)
        while pending is not _DONE:
            awaits += 1
            if awaits == self._at:
                self.reached = True
                asyncio.get_running_loop().call_soon(task.cancel)
            try:
                yield pending
            except BaseException as error:  # passed on to the coroutine, whatever it is
                pending = next_of(iterator, error)
            else:
                pending = next_of(iterator, None)


_DONE = object()


def next_of(iterator: Generator[Any, Any, None], error: BaseException | None) -> Any:
    """Let the coroutine go on, or raise ``error`` in it; returns what it waits for."""
    try:
        return iterator.send(None) if error is None else iterator.throw(error)
    except StopIteration:
        return _DONE


@check("FAULT-06", control=left_by_a_call, tries="cancellations")
async def cancelled_anywhere(scene: Scene, *, allowed: ResourceSnapshot) -> None:
    """``start()`` cancelled at any await leaves the tail before, and nothing after ``aclose()``."""
    await scene.start_session()
    for number in range(1, MOST_AWAITS):
        if not await _cancelled_at(scene, number, allowed):
            if not scene.count["cancellations"]:
                raise NotApplicable("start() awaits nothing: it cannot be cancelled")
            return
    raise KitError(f"start() of {scene.provider.name} has more than {MOST_AWAITS} awaits")


async def _cancelled_at(scene: Scene, number: int, allowed: ResourceSnapshot) -> bool:
    avatar = await scene.create(f"cancelled-{number}")
    before_start = scene.chain().tail
    workers = len(avatar.backend.workers)
    leftovers = ResourceSnapshot.of(scene)
    cancelling = Cancelling(scene.bind_call(avatar), number)
    began = scene.clock.now()
    with scene.variables_of(avatar):
        task = asyncio.ensure_future(cancelling.run())
        await asyncio.wait([task], timeout=scene.manifest.bounds.start)
    scene.count["cancellations"] += cancelling.reached
    finished = task.done() and not task.cancelled() and task.exception() is None
    where = f"start() cancelled at its await number {number}"
    expect(
        task.done(),
        f"{where} ends",
        "it goes on waiting",
        hint=bound_hint(scene.manifest, "start"),
        at=began,
    )
    tail = scene.chain().tail
    await scene.abandon(avatar)
    for worker in list(avatar.backend.workers)[workers:]:
        await worker.aclose()
    await scene.clock.sleep(1.0)
    if finished:
        return cancelling.reached
    expect(
        tail is before_start,
        f"{where}: the tail is the one from before, {describe(before_start)}",
        f"it is {describe(tail)}, which no avatar will ever serve",
        hint=ROLL_BACK,
        at=began,
    )
    extra = ResourceSnapshot.of(scene).since(leftovers).beyond(allowed)
    expect(
        not extra,
        f"{where}, then aclose(): nothing is left",
        "; ".join(extra),
        hint=GROWTH_HINT,
        at=began,
    )
    return cancelling.reached


@check(
    "FAULT-07",
    variants=("mid-speech",),
    exempt=without_worker,
    tries="departures",
    exchange=True,
)
async def worker_leaves(scene: Scene, variant: str) -> None:
    """The worker leaves mid-speech: speech completes in bounded time."""
    await scene.start_session()
    avatar = await started_with_worker(scene)
    speech = scene.say(3.0)
    await scene.clock.sleep(1.0)
    await let_leave(scene, avatar)
    await scene.spoken(speech)
    await scene.spoken(scene.say(1.0))


@check("FAULT-09", exempt=without_worker, tries="departures")
async def worker_comes_back(scene: Scene) -> None:
    """The worker leaves before it was ready and comes back: speech works."""
    await scene.start_session()
    avatar = await scene.create()
    avatar.backend.behaviour = replace(avatar.backend.behaviour, publish_video=False)
    await scene.start(avatar)
    expect_worker(avatar)
    await let_leave(scene, avatar)
    for worker in avatar.workers:
        worker.behaviour = replace(worker.behaviour, publish_video=True)
    await scene.clock.sleep(1.0)
    for worker in avatar.workers:
        await worker.come_back()
    await scene.ready(avatar)
    speech = scene.say(1.0)
    await scene.spoken(speech)
    expect(
        avatar.pcm.endswith(speech.pcm),
        "the avatar that came back hears the speech, whole",
        f"it heard {audio_difference(speech.pcm, avatar.pcm, speech.sample_rate)}; "
        f"{audio_evidence(scene, speech, avatar)}",
    )
