"""UNBIND, continued: what ends the vendor's session, and what is bound after the avatar."""

from __future__ import annotations

from conformance.results.outcomes import NotApplicable
from conformance.stage.faults import Fault
from conformance.suite.registry import check
from conformance.suite.scene.avatar import SETTLE
from conformance.suite.scene.chain import describe
from conformance.suite.scene.expect import audio_difference, expect
from conformance.suite.scene.scene import Scene

from .fault import MOST_ATTEMPTS

ONCE = {"once-500": Fault("status", status=500), "once-reset": Fault("reset-before-answer")}
TRIED_AGAIN = 10.0
"""Seconds in which a call that failed has been made again."""


@check("UNBIND-05", variants=tuple(ONCE), tries="closes")
async def ending_fails_once(scene: Scene, variant: str) -> None:
    """The call that ends the session fails once: it is made again, a bounded number of times."""
    await scene.start_session()
    avatar = await scene.started()
    api = avatar.provider.vendor_backend(avatar.context)
    calls = [call.name for call in api.calls if call.ends_session] if api is not None else []
    if not calls or not avatar.backend.sessions:
        raise NotApplicable("no call of the vendor's API ends a session")
    await scene.spoken(scene.say(0.6))
    injected = [avatar.backend.inject(ONCE[variant], call=call, times=1) for call in calls]
    began = scene.clock.now()
    await scene.close(avatar)
    await scene.clock.sleep(TRIED_AGAIN)
    left = sum(session.ended_at is None for session in avatar.backend.sessions)
    met = "failed once" if any(each.reached for each in injected) else "was never made"
    expect(
        not left,
        f"the vendor's session is ended, though the call that ends it failed once ({variant[5:]})",
        f"{left} still open and billed: the call {met}",
        hint="try again on 5xx and on a broken connection, a few times, within aclose()'s bound",
        at=began,
    )
    attempts = sum(request.call in calls for request in avatar.backend.requests)
    expect(
        attempts <= MOST_ATTEMPTS,
        f"{MOST_ATTEMPTS} requests at most",
        f"{attempts}",
        hint="stop when the vendor has said that the session is over",
        at=began,
    )


@check("UNBIND-14", tries="closes")
async def tail_of_before(scene: Scene) -> None:
    """After ``aclose()`` the tail of before, which still plays, is bound again, and heard."""
    await scene.start_session()
    before = scene.before
    avatar = await scene.started()
    await scene.spoken(scene.say(0.6))
    await scene.close(avatar)
    await scene.clock.sleep(SETTLE)
    tail = scene.chain().tail
    expect(
        before is not None and tail is before,
        f"after aclose() the tail of before is bound again, {describe(before)}",
        f"{describe(tail)} is",
        hint="keep what was bound before, and bind it again in aclose() while the tail is yours; "
        "not the output of another avatar, which may be closed",
    )
    assert before is not None
    known = len(before.pcm)
    speech = scene.say(1.0)
    await scene.spoken(speech)
    heard = before.pcm[known:]
    expect(
        heard == speech.pcm,
        "the next speech is heard there, whole",
        f"it heard {audio_difference(speech.pcm, heard, speech.sample_rate)}",
    )
