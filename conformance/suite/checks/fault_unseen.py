"""FAULT, continued: what fails and nobody sees, and what is logged where nothing is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from conformance.results.outcomes import NotApplicable, ProviderRaised, Violation
from conformance.stage.faults import Fault
from conformance.suite.registry import check
from conformance.suite.scene.departures import let_leave, started_with_worker
from conformance.suite.scene.expect import expect
from conformance.suite.scene.notices import listening
from conformance.suite.scene.scene import Scene
from conformance.suite.scene.speech import Speech
from conformance.suite.scene.start_attempts import NO_SOCKET
from conformance.suite.scene.swap_order import CLOSE_THEN_START
from conformance.suite.scene.unseen_failures import watching

ANSWER_DELAY = 3.0
IDLE_FOR = 5.0
SETTLED = 3.0
"""Seconds after which what follows an event without being awaited has followed."""


async def _call(scene: Scene) -> None:
    """A call in which nothing goes wrong: speech, an interruption, a swap, and the end."""
    avatar = await scene.started()
    await _over(scene, scene.say(0.6))
    speech = scene.say(3.0)
    await scene.clock.sleep(1.0)
    scene.interrupt(speech)
    await _over(scene, speech)
    await _over(scene, scene.say(0.6))
    new = await scene.exchange(avatar, CLOSE_THEN_START, ready=True)
    await _over(scene, scene.say(0.6))
    await scene.close(new)


async def _over(scene: Scene, speech: Speech) -> None:
    """Wait for the end of a speech; whether it comes is judged by PLAY and SWAP."""
    with suppress(Violation):
        await scene.spoken(speech)


async def _refused(scene: Scene) -> None:
    avatar = await scene.create()
    scene.break_start(avatar)
    with suppress(ProviderRaised):
        await scene.start(avatar, ready=False)
    await scene.abandon(avatar)


async def _abandoned(scene: Scene) -> None:
    avatar = await scene.create()
    avatar.backend.inject(Fault("answers-slowly", delay=ANSWER_DELAY))
    scene.count["starts"] += 1
    with scene.variables_of(avatar):
        starting = asyncio.ensure_future(scene.bind_call(avatar))
        await scene.clock.sleep(1.0)
    await scene.abandon(avatar)
    await asyncio.wait([starting], timeout=scene.manifest.bounds.start)
    if starting.done() and not starting.cancelled():
        starting.exception()  # its caller sees it
    await scene.clock.sleep(2 * ANSWER_DELAY)


async def _worker_leaves(scene: Scene) -> None:
    avatar = await started_with_worker(scene)
    speech = scene.say(3.0)
    await scene.clock.sleep(1.0)
    await let_leave(scene, avatar)
    await _over(scene, speech)
    await scene.abandon(avatar)


async def _never_joins(scene: Scene) -> None:
    avatar = await scene.create()
    avatar.backend.behaviour = replace(avatar.backend.behaviour, join_after=None)
    with suppress(ProviderRaised, Violation):
        await scene.start(avatar, ready=False)
    scene.say(1.0)
    await scene.clock.sleep(SETTLED)
    await scene.abandon(avatar)


async def _socket_drops(scene: Scene) -> None:
    avatar = await scene.create()
    api = avatar.provider.vendor_backend(avatar.context)
    if api is None or not api.sockets:
        raise NotApplicable(NO_SOCKET)
    fault = Fault("socket-closed-idle", delay=IDLE_FOR)
    avatar.backend.inject(fault, call=api.sockets[0].name, times=1)
    await scene.start(avatar)
    await scene.clock.sleep(IDLE_FOR + SETTLED)
    await _over(scene, scene.say(1.0))
    await scene.abandon(avatar)


_CASES: Mapping[str, Callable[[Scene], Awaitable[None]]] = {
    "call": _call,
    "refused": _refused,
    "abandoned-start": _abandoned,
    "worker-leaves": _worker_leaves,
    "never-joins": _never_joins,
    "socket-drops": _socket_drops,
}


@check("FAULT-14", variants=tuple(_CASES))
async def nothing_fails_unseen(scene: Scene, variant: str) -> None:
    """No exception is never retrieved, none is unhandled in a callback or a thread."""
    await scene.start_session()
    with watching(scene) as unseen:
        await _CASES[variant](scene)
        await scene.clock.sleep(SETTLED)
        found = unseen.found()
    expect(
        not found,
        "nothing of the provider fails unseen",
        "; ".join(found),
        hint="await every task, at the latest in aclose(); catch in a listener what it can raise",
    )


@check("FAULT-15", tries="speeches")
async def clean_log(scene: Scene) -> None:
    """No ERROR record and no traceback in a call in which nothing is wrong."""
    await scene.start_session()
    with listening(scene) as notices:
        await _call(scene)
        await scene.clock.sleep(SETTLED)
    errors = notices.errors()
    expect(
        not errors,
        "no ERROR record and no traceback in a call in which nothing is wrong",
        "; ".join(dict.fromkeys(errors)),
        hint="log at ERROR what somebody has to act upon",
    )
