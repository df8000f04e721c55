"""PLAY, continued: a pause, where the tail claims that it can."""

from __future__ import annotations

from conformance.plugin.manifest import Manifest
from conformance.results.outcomes import NotApplicable
from conformance.suite.registry import check
from conformance.suite.scene.expect import expect, fail, seconds
from conformance.suite.scene.scene import Scene

from .play import FRAME_TOLERANCE, POSITION_HINT

SPOKEN = 1.0
PAUSED = 5.0
TOLERANCE = 0.25
"""Seconds in which a pause and a resume reach the avatar."""


def _unclaimed(manifest: Manifest) -> str | None:
    return None if manifest.capabilities.pause else "no pause is claimed (capability pause)"


@check("PLAY-11", variants=("resumed", "interrupted"), exempt=_unclaimed)
async def pause_is_one(scene: Scene, variant: str) -> None:
    """Where pause is claimed nothing is played until resume, and the position stands still."""
    await scene.start_session()
    await scene.started()
    output = scene.session.output.audio
    if output is None:
        fail("a chain to speak through", "session.output.audio is None")
    if not output.can_pause:
        raise NotApplicable("the tail says that it cannot pause; BIND-04 judges that")
    speech = scene.say(3.0)
    await scene.clock.sleep(SPOKEN)
    scene.timeline.record("agent", "pause")
    output.pause()
    paused_at = scene.clock.now()
    await scene.clock.sleep(PAUSED)
    expect(
        not scene.ear.finished,
        "a speech that is paused does not go on",
        f"it finished {seconds(scene.clock.now() - paused_at)} after the pause at the latest",
        hint="hold back what is queued, here or at the avatar, until resume()",
        at=paused_at,
    )
    if variant == "interrupted":
        scene.interrupt(speech)
        output.resume()
    else:
        scene.timeline.record("agent", "resume")
        output.resume()
    resumed_at = scene.clock.now()
    await scene.spoken(speech)
    await scene.clock.sleep(0.5)
    last = scene.ear.finished[-1]
    if variant == "interrupted":
        expect(
            last.interrupted and last.position <= SPOKEN + TOLERANCE,
            f"interrupted while paused, it finishes at {seconds(SPOKEN)}: the position stood still",
            f"{'interrupted' if last.interrupted else 'finished'} at {seconds(last.position)}",
            hint=POSITION_HINT,
            at=last.at,
        )
        return
    rest = speech.seconds - SPOKEN
    expect(
        last.at >= resumed_at + rest - TOLERANCE,
        f"nothing is played until resume: the last {seconds(rest)} of it come after that",
        f"it finished {seconds(last.at - resumed_at)} after resume()",
        hint="hold back what is queued, here or at the avatar, until resume()",
        at=last.at,
    )
    expect(
        not last.interrupted and abs(last.position - speech.seconds) <= FRAME_TOLERANCE,
        f"resumed, it finishes at its own length, {seconds(speech.seconds)}",
        f"{'interrupted ' if last.interrupted else ''}at {seconds(last.position)}",
        hint=POSITION_HINT,
        at=last.at,
    )
