"""What a participant and the others see when its connection is cut."""

from __future__ import annotations

from collections.abc import Sequence

from livekit import rtc

from .probe import Surroundings, probe


@probe(
    "reconnecting",
    "The signalling connection is lost and there again at once: what does the participant see?",
    "connection_state_changed",
    "reconnecting",
    "connection_state_changed",
    "reconnected",
)
async def _cut_for_a_moment(around: Surroundings) -> Sequence[str]:
    observer = await around.join("observer")
    worker = await around.publisher("worker", observer)
    await around.server.drop(worker.room, seconds=0.0)
    await worker.until("reconnected", within=20.0)
    own = ("connection_state_changed", "reconnecting", "reconnected")
    return [each for each in worker.seen if each in own]


@probe("reconnecting", "Is a room that reconnects connected?", "isconnected() is True")
async def _while_reconnecting(around: Surroundings) -> Sequence[str]:
    worker = await around.publisher("worker")
    await around.clock.sleep(0.3)
    await around.server.drop(worker.room, seconds=1.0)
    await worker.until("reconnecting")
    seen = [f"isconnected() is {worker.room.isconnected()}"]
    await worker.until("reconnected", within=20.0)
    return seen


@probe(
    "reconnecting",
    "The connection is lost for good: what do others and the participant see?",
    "participant_disconnected worker",
    "disconnected",
)
async def _cut_for_good(around: Surroundings) -> Sequence[str]:
    observer = await around.join("observer")
    worker = await around.publisher("worker", observer)
    await around.server.drop(worker.room)
    await observer.until("participant_disconnected", within=60.0)
    await worker.until("disconnected", within=60.0)
    theirs = [each for each in observer.seen if each.startswith("participant")]
    return [*theirs, *(each for each in worker.seen if each == "disconnected")]


@probe(
    "reconnecting",
    "A full reconnect: what do others see?",
    "track_unsubscribed video worker",
    "track_unpublished video worker",
    "participant_disconnected worker",
    "participant_connected worker",
    "participant_active worker",
    "track_published video worker",
    "track_subscribed video worker",
    why="the loopback room's cut connections resume; it has no full reconnect",
    only_real=True,
)
async def _full_reconnect(around: Surroundings) -> Sequence[str]:
    observer = await around.join("observer")
    worker = await around.publisher("worker", observer)
    await worker.room.simulate_scenario(
        rtc.SimulateScenarioKind.SIMULATE_FULL_RECONNECT  # type: ignore[attr-defined, unused-ignore]
    )
    await observer.until("track_subscribed", within=20.0)
    return observer.seen
