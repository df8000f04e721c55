"""FAULT, continued: connections that drop in the middle of a call."""

from __future__ import annotations

from conformance.plugin.manifest import Manifest
from conformance.results.outcomes import NotApplicable, ProviderRaised
from conformance.stage.faults import WORKING_SOCKET_FAULTS, Fault
from conformance.suite.registry import check
from conformance.suite.scene.expect import audio_difference, expect
from conformance.suite.scene.notices import listening
from conformance.suite.scene.scene import Scene
from conformance.suite.scene.start_attempts import NO_SOCKET

GAP = 2.0
"""How long the agent is without its connection, in seconds."""

SETTLED = 3.0
"""Seconds after which a connection that has come back is used as before."""


@check("FAULT-12", variants=("idle", "mid-speech"), tries="disconnections")
async def connection_comes_back(scene: Scene, variant: str) -> None:
    """The agent's own connection drops and comes back: the next speech is heard."""
    await scene.start_session()
    avatar = await scene.started()
    speech = scene.say(3.0 if variant == "mid-speech" else 0.5)
    if variant == "mid-speech":
        await scene.clock.sleep(1.0)
        await scene.stage.server.drop(scene.room, seconds=GAP)
        await scene.spoken(speech)
    else:
        await scene.spoken(speech)
        await scene.stage.server.drop(scene.room, seconds=GAP)
    await scene.clock.sleep(GAP + SETTLED)
    known = len(avatar.pcm)
    speech = scene.say(1.0)
    began = scene.clock.now()
    await scene.spoken(speech)
    await scene.clock.sleep(0.5)
    heard = avatar.pcm[known:]
    expect(
        heard == speech.pcm,
        f"speech is heard, whole, after the agent was without its connection for {GAP:g} s",
        f"the avatar heard {audio_difference(speech.pcm, heard, speech.sample_rate)}",
        hint="leave the endpoint bound while the room reconnects",
        at=began,
    )


def _no_socket(manifest: Manifest) -> str | None:
    return NO_SOCKET if manifest.transport != "websocket" else None


@check(
    "FAULT-13",
    variants=tuple(str(fault) for fault in WORKING_SOCKET_FAULTS),
    exempt=_no_socket,
    tries="faults",
)
async def socket_drops(scene: Scene, variant: str) -> None:
    """A vendor's WebSocket drops: speech ends; it is connected again, or somebody is told."""
    fault = _named(variant)
    await scene.start_session()
    avatar = await scene.create()
    api = avatar.provider.vendor_backend(avatar.context)
    if api is None or not api.sockets:
        raise NotApplicable(NO_SOCKET)
    avatar.backend.inject(fault, call=api.sockets[0].name, times=1)
    with listening(scene) as notices:
        try:
            await scene.start(avatar)
        except ProviderRaised as failure:
            scene.notes.append(f"start() raises: {failure.finding.observed}")
            await scene.abandon(avatar)
        if fault.kind == "socket-closed-idle":
            await scene.clock.sleep(fault.delay + SETTLED)
        await scene.spoken(scene.say(2.0))
        await scene.clock.sleep(SETTLED)
        known = len(avatar.pcm)
        speech = scene.say(1.0)
        began = scene.clock.now()
        await scene.spoken(speech)
    heard = avatar.pcm[known:]
    raised = bool(scene.notes)
    expect(
        raised or heard == speech.pcm or notices.tell_of_an_avatar(),
        f"after {fault} the avatar hears the agent again, or a session event or a log record at "
        "WARNING or above tells of it",
        f"it heard {audio_difference(speech.pcm, heard, speech.sample_rate)} of the next speech, "
        "and nobody was told",
        hint="log a warning when the socket closes by itself, and connect again or unbind",
        at=began,
    )


def _named(name: str) -> Fault:
    return next(fault for fault in WORKING_SOCKET_FAULTS if str(fault) == name)
