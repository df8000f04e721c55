"""FAULT, continued: an avatar that never comes, or that goes while nobody speaks or unseen."""

from __future__ import annotations

from dataclasses import replace

from conformance.results.outcomes import ProviderRaised
from conformance.suite.registry import check
from conformance.suite.scene.departures import let_leave, started_with_worker, without_worker
from conformance.suite.scene.expect import expect
from conformance.suite.scene.notices import listening
from conformance.suite.scene.scene import Scene


@check(
    "FAULT-11",
    variants=("before-session", "mid-session", "after-close"),
    tries="speeches",
    exempt=without_worker,
    virtual_time="an avatar that is waited for, for longer than half a minute",
)
async def never_joins(scene: Scene, variant: str) -> None:
    """``start()`` worked and the worker never joins: speech ends in bounded time."""
    if variant != "before-session":
        await scene.start_session()
    avatar = await scene.create()
    avatar.backend.behaviour = replace(avatar.backend.behaviour, join_after=None)
    try:
        await scene.start(avatar, ready=False)
    except ProviderRaised as failure:
        scene.notes.append(f"start() waits for the avatar: {failure.finding.observed}")
        await scene.abandon(avatar)
    if variant == "before-session":
        await scene.start_session(tail_before=False)
        await scene.audience.join()  # who hears the agent's own voice where start() has failed
    speech = scene.say(2.0)
    if variant == "after-close":
        await scene.clock.sleep(1.0)
        await scene.close(avatar)
        await scene.spoken(speech)
        speech = scene.say(1.0)
    await scene.spoken(speech)


@check("FAULT-07", variants=("idle",), exempt=without_worker, tries="departures")
async def worker_leaves_idle(scene: Scene, variant: str) -> None:
    """The worker leaves while nobody speaks: the next speech completes in bounded time."""
    await scene.start_session()
    avatar = await started_with_worker(scene)
    await scene.spoken(scene.say(0.5))
    await let_leave(scene, avatar)
    await scene.clock.sleep(2.0)
    await scene.spoken(scene.say(1.0))
    await scene.spoken(scene.say(1.0))


@check("FAULT-07", variants=("told",), exempt=without_worker, tries="departures")
async def somebody_is_told(scene: Scene, variant: str) -> None:
    """The worker leaves: an event of the session or a warning in the log says so."""
    await scene.start_session()
    avatar = await started_with_worker(scene)
    await scene.spoken(scene.say(0.5))
    with listening(scene) as notices:
        await let_leave(scene, avatar)
        await scene.clock.sleep(5.0)
    expect(
        notices.tell_of_an_avatar(),
        "a session event, or a log record at WARNING or above, says that the avatar has gone",
        "nothing tells of it: the agent goes on as if somebody listened",
        hint="log a warning when the avatar's participant leaves by itself",
    )
