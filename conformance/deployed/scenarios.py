"""What is done with a deployed avatar so that it can be judged, each in a room of its own."""

from __future__ import annotations

from conformance.results.outcomes import NotApplicable

from .recording import Recording
from .scene import BOUND, DeployedScene

SILENCE = 300.0
"""Seconds of silence after which an avatar must still speak."""
AFTERWARDS = 8.0
"""Seconds that somebody who was sent away is looked out for."""

RECOVERY = 14.0
"""Seconds that an SDK may take to resume, or to give that up and start its connection anew."""


async def one_segment(scene: DeployedScene) -> Recording:
    """The avatar comes, plays one segment, and has a while after it."""
    await scene.bring()
    segment = await scene.speak(2.4)
    await scene.finished(1, seconds=segment.seconds)
    await scene.clock.sleep(1.0)
    return scene.recording()


async def series(scene: DeployedScene) -> Recording:
    """Two segments that are queued."""
    await scene.bring()
    first = await scene.speak(1.6)
    second = await scene.speak(1.2)
    await scene.finished(2, seconds=first.seconds + second.seconds)
    return scene.recording()


async def empty_segment(scene: DeployedScene) -> Recording:
    """A segment, an empty one, and one more."""
    await scene.bring()
    first = await scene.speak(0.8)
    await scene.finished(1, seconds=first.seconds)
    scene.mark("empty")
    await scene.avatar.line.end()
    await scene.clock.sleep(2.0)
    reported = len(scene.avatar.line.finished)
    last = await scene.speak(1.2)
    await scene.finished(reported + 1, seconds=last.seconds)
    return scene.recording()


async def interruption(scene: DeployedScene) -> Recording:
    """A segment that is interrupted in the middle, and one after it."""
    await scene.bring()
    line = scene.avatar.line
    await scene.speak(4.8)
    await scene.until(lambda: bool(line.started), 4.0)
    await scene.clock.sleep(1.6)
    await scene.clear()
    await scene.until(lambda: bool(line.finished), 4.0)
    await scene.clock.sleep(2.5)
    reported = len(line.finished)
    last = await scene.speak(0.8)
    await scene.finished(reported + 1, seconds=last.seconds)
    return scene.recording()


async def lost_end(scene: DeployedScene) -> Recording:
    """A segment whose end never comes, and one after it."""
    await scene.bring()
    line = scene.avatar.line
    if not scene.avatar.through_gateway:
        raise NotApplicable("needs a fault in the plugin's own transport: nothing is injected")
    await scene.speak(1.2, end=False)
    await line.lose_end()
    await scene.clock.sleep(3.0)
    last = await scene.speak(1.6)
    # The report of the first may come now, so none is waited for.
    await scene.clock.sleep(last.seconds + 3.0)
    return scene.recording()


async def other_sample_rate(scene: DeployedScene) -> Recording:
    """A segment, and one at another sample rate."""
    await scene.bring()
    if not scene.avatar.takes_any_rate:
        raise NotApplicable("the manifest declares one sample rate: the host resamples to it")
    first = await scene.speak(0.8)
    await scene.finished(1, seconds=first.seconds)
    rate = 16000 if scene.avatar.sample_rate != 16000 else 24000
    last = await scene.speak(1.6, sample_rate=rate)
    await scene.finished(2, seconds=last.seconds)
    return scene.recording()


async def long_silence(scene: DeployedScene) -> Recording:
    """A segment, `SILENCE` seconds of nothing, and one more."""
    await scene.bring()
    first = await scene.speak(0.8)
    await scene.finished(1, seconds=first.seconds)
    await scene.clock.sleep(SILENCE)
    last = await scene.speak(1.6)
    await scene.finished(2, seconds=last.seconds)
    return scene.recording()


async def removed(scene: DeployedScene) -> Recording:
    """The avatar is removed from the room."""
    await scene.bring()
    scene.mark("removed")
    await scene.remove(scene.avatar.identity)
    await scene.until(lambda: not scene.listener.present(scene.avatar.identity), BOUND)
    await scene.clock.sleep(AFTERWARDS)
    return scene.recording()


async def identity_taken(scene: DeployedScene) -> Recording:
    """Another participant joins with the avatar's identity, as a new instance does."""
    await scene.bring()
    identity = scene.avatar.identity
    other = await scene.join(identity)
    scene.mark("taken")
    await scene.clock.sleep(AFTERWARDS)
    if not other.isconnected():
        scene.mark("taken back")
    await other.disconnect()
    return scene.recording()


async def agent_gone(scene: DeployedScene) -> Recording:
    """The agent leaves the room, and tells nobody."""
    await scene.bring()
    segment = await scene.speak(0.8)
    await scene.finished(1, seconds=segment.seconds)
    scene.mark("gone")
    await scene.agent.disconnect()
    await scene.until(lambda: not scene.listener.present(scene.avatar.identity), BOUND)
    return scene.recording()


async def connection_dropped(scene: DeployedScene) -> Recording:
    """The avatar's own connection is cut for 2 s; then it is spoken to."""
    await scene.bring()
    if not scene.avatar.through_gateway:
        raise NotApplicable("needs a cut of the worker's own connection: nothing is injected")
    first = await scene.speak(0.8)
    await scene.finished(1, seconds=first.seconds)
    scene.mark("dropped")
    gateway, identity = scene.stage.server.gateway, scene.avatar.identity
    gateway.cut(identity)
    await scene.clock.sleep(2.0)
    gateway.mend(identity)
    await scene.clock.sleep(RECOVERY)
    await scene.until(lambda: scene.listener.present(identity), BOUND - RECOVERY)
    await scene.until(lambda: identity in scene.agent.remote_participants, 5.0)
    reported = len(scene.avatar.line.finished)
    last = await scene.speak(1.6)
    await scene.finished(reported + 1, seconds=last.seconds)
    return scene.recording()
