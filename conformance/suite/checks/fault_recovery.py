"""FAULT, continued: a vendor that fails once and is healthy again."""

from __future__ import annotations

from conformance.results.outcomes import NotApplicable, ProviderRaised
from conformance.stage.faults import Fault
from conformance.suite.registry import check
from conformance.suite.scene.expect import expect, fail
from conformance.suite.scene.scene import Scene
from conformance.suite.scene.start_attempts import targets


@check("FAULT-05", variants=("one-500",), tries="faults")
async def one_failure_is_overcome(scene: Scene, variant: str) -> None:
    """One 500, then a healthy vendor: the start works, with one session."""
    fault = Fault("status", status=500)
    await scene.start_session()
    for call in targets(scene, fault):
        avatar = await scene.create(f"faulty-{len(scene.avatars)}")
        injected = avatar.backend.inject(fault, call=call, times=1)
        began = scene.clock.now()
        try:
            await scene.start(avatar, ready=False)
        except ProviderRaised as failure:
            fail(
                f"start() works when {call!r} is answered with one 500 and then served",
                failure.finding.observed,
                hint="try again on 5xx, a few times, with a pause",
                at=began,
            )
        await scene.clock.sleep(1.0)
        if not injected.reached:
            raise NotApplicable(f"start() makes no call {call!r}")
        opened = len(avatar.backend.sessions)
        joined = any(worker.in_room for worker in avatar.workers)
        in_process = avatar.context.player is not None
        expect(
            opened <= 1 and (joined or in_process),
            f"one session at the vendor after one 500 at {call!r}, and an avatar in the room",
            f"{opened} session(s), {'an' if joined else 'no'} avatar in the room",
            hint="try again on 5xx, a few times, with a pause",
            at=began,
        )
        await scene.close(avatar)
        for worker in avatar.workers:
            await worker.aclose()
