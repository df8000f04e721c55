"""UNBIND, continued: what is left, what is ended, and closing at the wrong moment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from conformance.results.outcomes import NotApplicable, ProviderRaised
from conformance.stage.faults import Fault
from conformance.suite.registry import check
from conformance.suite.scene.audio_evidence import audio_evidence
from conformance.suite.scene.bounds import bound_hint
from conformance.suite.scene.chain import describe
from conformance.suite.scene.expect import audio_difference, expect, seconds
from conformance.suite.scene.leak_scenarios import GROWTH_HINT, left_by_a_call
from conformance.suite.scene.resources import ResourceSnapshot
from conformance.suite.scene.scene import Scene
from conformance.suite.scene.start_attempts import NO_API
from conformance.suite.scene.tried import tried

from .swap import hears

if TYPE_CHECKING:
    from conformance.plugin.manifest import Manifest

ANSWER_DELAY = 4.0
"""Seconds: shorter than any client's timeout, so that the start which goes on succeeds."""

END_HINT = "end the session at the vendor in aclose(); one that is lost keeps billing"


@check("UNBIND-02", tries="closes", exchange=True)
async def speech_after_close(scene: Scene) -> None:
    """After ``aclose()`` with nothing bound since, speech completes in bounded time."""
    await scene.start_session()
    avatar = await scene.started()
    await scene.spoken(scene.say(0.6))
    await scene.close(avatar)
    await scene.clock.sleep(0.5)
    await scene.spoken(scene.say(1.0))


@check("UNBIND-04", scenario=left_by_a_call, control=left_by_a_call, tries="closes", exchange=True)
def nothing_left(left: ResourceSnapshot, *, allowed: ResourceSnapshot) -> None:
    """After ``aclose()`` nothing of the provider is left beyond the host's own."""
    extra = left.beyond(allowed)
    expect(
        not extra,
        "no task, listener, WebSocket or HTTP session is left after aclose()",
        "; ".join(extra),
        hint=GROWTH_HINT,
    )


@check("UNBIND-05", tries="closes", exchange=True)
async def remote_session_ends(scene: Scene) -> None:
    """The vendor's remote session is ended by ``aclose()``."""
    await scene.start_session()
    avatar = await scene.started()
    if not avatar.backend.sessions:
        raise NotApplicable("the vendor's API opens no session")
    await scene.spoken(scene.say(0.6))
    known = len(avatar.backend.requests)
    await scene.close(avatar)
    await scene.clock.sleep(1.0)
    asked = [repr(request.call) for request in list(avatar.backend.requests)[known:]]
    open_ones = [session.id for session in avatar.backend.sessions if session.ended_at is None]
    claimed = scene.manifest.capabilities.ends_session
    expect(
        not open_ones,
        "the vendor's session is ended",
        f"{len(open_ones)} of {len(avatar.backend.sessions)} still open and billed"
        + ("; the manifest claims ends_session" if claimed else "")
        + (f"; aclose() made {', '.join(asked)}" if asked else "; aclose() asked it nothing"),
        hint="" if asked else END_HINT,
    )
    if not claimed:
        scene.notes.append("unclaimed: the manifest can declare the capability ends_session")


@check("UNBIND-06", tries="closes", exchange=True)
async def new_instance(scene: Scene) -> None:
    """A new instance started after ``aclose()`` works."""
    await scene.start_session()
    old = await scene.started("old")
    await scene.spoken(scene.say(0.6))
    await scene.close(old)
    await scene.clock.sleep(2.0)
    new = await scene.started("new")
    speech = scene.say(1.0)
    await scene.spoken(speech)
    hears(new, speech, "the new instance's avatar hears the speech, whole", scene=scene)


@check("UNBIND-07", tries="closes")
async def same_instance(scene: Scene) -> None:
    """The same instance started again works in full, or raises a clear error at once."""
    await scene.start_session()
    avatar = await scene.started()
    first = scene.say(0.6)
    await scene.spoken(first)
    await scene.close(avatar)
    await scene.clock.sleep(1.0)
    claimed = scene.manifest.capabilities.restartable
    closed = list(avatar.workers)
    began = scene.clock.now()
    try:
        await scene.start(avatar)
    except ProviderRaised as failure:
        expect(
            not claimed,
            "the same instance starts again, as the manifest claims (restartable)",
            f"it raised {failure.finding.observed}",
        )
        expect(
            scene.clock.now() - began <= 1.0 and bool(str(failure.error)),
            "a clear error at once",
            f"{failure.finding.observed} after {seconds(scene.clock.now() - began)}",
        )
        return
    second = scene.say(3.0, paced=True)  # what the first start left may take a part of it
    await scene.spoken(second)
    newer = [worker for worker in avatar.workers if worker not in closed]
    heard = b"".join(w.pcm for w in newer) if newer else avatar.pcm[len(first.pcm) :]
    expect(
        heard == second.pcm,
        "the avatar of the second start hears the speech, whole",
        f"it heard {audio_difference(second.pcm, heard, second.sample_rate)}; "
        f"{audio_evidence(scene, second, avatar)}",
    )
    if not claimed:
        scene.notes.append("unclaimed: the manifest can declare the capability restartable")


@check("UNBIND-08", control=left_by_a_call, tries="closes")
async def close_during_start(scene: Scene, *, allowed: ResourceSnapshot) -> None:
    """``aclose()`` while ``start()`` waits: both return, nothing is bound, nothing is left."""
    await scene.start_session()
    if scene.provider.vendor_backend(scene.adapter_context()) is None:
        raise NotApplicable(NO_API)
    leftovers = ResourceSnapshot.of(scene)
    before = scene.chain().tail
    avatar = await scene.create()
    injected = avatar.backend.inject(Fault("answers-slowly", delay=ANSWER_DELAY))
    with scene.variables_of(avatar):
        starting = asyncio.ensure_future(scene.bind_call(avatar))
        await scene.clock.sleep(1.0)
    waiting = not starting.done()
    await scene.close(avatar)
    outcome = await scene.bounded(
        asyncio.gather(starting, return_exceptions=True),
        "start() returns when aclose() is called in the middle of it",
        seconds=scene.manifest.bounds.start,
        hint=bound_hint(scene.manifest, "start"),
    )
    injected.withdraw()
    if not waiting and not isinstance(outcome[0], BaseException):
        raise NotApplicable("start() waits for no answer of the vendor")
    await scene.clock.sleep(2 * ANSWER_DELAY)
    after = scene.chain().tail
    bound = [] if after is before else [describe(after)]
    expect(
        not bound,
        "nothing is bound when aclose() was called during start()",
        f"{bound[0]} is, and stays" if bound else "",
        hint="cancel the start that is under way in aclose(), or look whether it is closed "
        "before you bind",
    )
    for worker in avatar.backend.workers:
        await worker.aclose()
    await scene.clock.sleep(1.0)
    extra = ResourceSnapshot.of(scene).since(leftovers).beyond(allowed)
    expect(
        not extra,
        "nothing is left when aclose() was called during start()",
        "; ".join(extra),
        hint=GROWTH_HINT,
    )


@check(
    "UNBIND-10",
    variants=("backend-500", "backend-silent", "room-api-500", "room-api-silent"),
    virtual_time={"room-api-silent": "a room API that never answers, for longer than a minute"},
    tries="faults",
    exchange=True,
)
async def close_despite_failures(scene: Scene, variant: str) -> None:
    """With the backend or the room API failing, ``aclose()`` is bounded and does not raise."""
    where, _, how = variant.rpartition("-")
    fault = Fault("never-answers") if how == "silent" else Fault("status", status=500)
    await scene.start_session()
    avatar = await scene.started()
    if where == "room-api":
        scene.stage.server.fail_api(fault)
    else:
        avatar.backend.inject(fault)
    try:
        await scene.close(avatar)
    finally:
        scene.stage.server.fail_api(None)
    await scene.clock.sleep(1.0)
    if not tried(scene.timeline.events, scene.count).get("faults"):
        whom = "room's API" if where == "room-api" else "vendor's API"
        raise NotApplicable(f"aclose() asks nothing of the {whom}")


def _no_avatar_of_its_own(manifest: Manifest) -> str | None:
    if manifest.transport == "in-process":
        return "nothing of the avatar is outside the process (transport in-process)"
    return None


@check("UNBIND-11", variants=("job-shutdown", "session-close"), exempt=_no_avatar_of_its_own)
async def ends_with_the_call(scene: Scene, variant: str) -> None:
    """Job shutdown and the session's close end the avatar too, once."""
    await scene.start_session()
    avatar = await scene.started()
    await scene.spoken(scene.say(0.6))
    asked = len(avatar.backend.requests)
    if variant == "job-shutdown":
        await scene.session.aclose()
        await scene.room.disconnect()
        await scene.bounded(
            scene.job.shutdown(),
            "the job's shutdown callbacks",
            seconds=scene.manifest.bounds.close,
            hint=bound_hint(scene.manifest, "close"),
        )
    else:
        await scene.session.aclose()
    await scene.clock.sleep(5.0)
    sessions = avatar.backend.sessions
    again = [r.call for r in list(avatar.backend.requests)[asked:]]
    removed = sum(identity in avatar.identities for identity in scene.stage.server.removals())
    ended = all(session.ended_at is not None for session in sessions) if sessions else removed > 0
    expect(
        ended,
        f"the vendor's session is ended by {variant.replace('-', ' ')}",
        "it is still open" if sessions else "the participant is still in the room",
        hint=""
        if again or removed
        else "nothing was asked of the vendor or the room: listen to the session's 'close' event, "
        "or add a shutdown callback to the job",
    )
    expect(
        len(again) <= 1 and removed <= 1,
        "ended once",
        f"{len(again)} requests to the vendor ({', '.join(again)}) and {removed} removals",
    )
