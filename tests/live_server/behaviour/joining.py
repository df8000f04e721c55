"""What others and the newcomer itself see when somebody joins."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from livekit import rtc

from .probe import TICK, Surroundings, Watched, about, probe

ATTRIBUTES = {"lk.publish_on_behalf": "agent"}
NO_BATCHES = "the loopback server tells at once: a stand-in that waits would slow every check"


@probe(
    "joining",
    "What does an observer see of a worker that joins and publishes at once?",
    "participant_connected worker",
    "participant_active worker",
    "track_published video worker",
    "track_subscribed video worker",
)
async def _joins_and_publishes(around: Surroundings) -> Sequence[str]:
    observer = await around.join("observer")
    room = await around.server.join(around.token("worker", kind="agent", attributes=ATTRIBUTES))
    await around.server.publish_video(room)
    await observer.until("track_subscribed")
    return observer.seen


@probe(
    "joining",
    "What is known of the worker in participant_connected?",
    "kind AGENT, attributes lk.publish_on_behalf=agent",
)
async def _known_at_connected(around: Surroundings) -> Sequence[str]:
    observer = await around.join("observer")
    known: list[str] = []

    def connected(participant: rtc.RemoteParticipant) -> None:
        kind = rtc.ParticipantKind.Name(participant.kind).removeprefix("PARTICIPANT_KIND_")
        attributes = ", ".join(f"{k}={v}" for k, v in participant.attributes.items())
        known.append(f"kind {kind}, attributes {attributes}")

    observer.room.on("participant_connected", connected)
    room = await around.server.join(around.token("worker", kind="agent", attributes=ATTRIBUTES))
    await around.server.publish_video(room)
    await observer.until("track_published")
    return known


@probe(
    "joining",
    "What does an observer see of one that publishes nothing, and when?",
    "participant_connected quiet",
    "participant_active quiet",
)
async def _joins_quietly(around: Surroundings) -> Sequence[str]:
    observer = await around.join("observer")
    await around.join("quiet")
    await observer.until("participant_active")
    return observer.seen


@probe(
    "joining",
    "An observer's news of one that publishes nothing: how late can they be?",
    "up to 3 s: the server tells of such participants at ticks of the room",
    loopback=["at once"],
    why=NO_BATCHES,
)
async def _news_of_the_quiet(around: Surroundings) -> Sequence[str]:
    observer = await around.join("observer")
    # The room's ticks are 3 s apart; three joins a third of a tick apart cannot all meet one.
    delays = []
    for name in ("one", "two", "three"):
        began = around.clock.now()
        await around.join(name)
        await observer.until(f"participant_connected {name}")
        delays.append(around.clock.now() - began)
        await around.clock.sleep(TICK / 3)
    if all(about(delay) == "at once" for delay in delays):
        return ["at once"]
    late = max(delays) <= TICK + 0.7
    limit = "up to 3 s" if late else f"up to {max(delays):.1f} s"
    return [f"{limit}: the server tells of such participants at ticks of the room"]


@probe(
    "joining",
    "What does the newcomer know of those that are there, when connect() returns?",
    "worker: 1 publication, active",
    "events: track_subscribed video worker",
)
async def _newcomer(around: Surroundings) -> Sequence[str]:
    await around.publisher("worker")
    await around.clock.sleep(0.5)
    room = await around.server.join(around.token("late"))
    watched = Watched(room, around.clock)
    worker = room.remote_participants["worker"]
    active = worker.state == rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE
    known = f"worker: {len(worker.track_publications)} publication"
    await watched.until("track_subscribed")
    await around.clock.sleep(0.3)
    others = [each for each in watched.seen if not each.startswith("connection_state")]
    return [f"{known}, {'active' if active else 'joined'}", f"events: {'; '.join(others)}"]


@probe(
    "joining",
    "Can a call reach a participant that the caller has not heard of yet?",
    "answered",
)
async def _call_before_news(around: Surroundings) -> Sequence[str]:
    caller = await around.join("caller")
    callee = await around.join("callee")
    callee.room.local_participant.register_rpc_method("ask", lambda data: "answered")
    return [
        await caller.room.local_participant.perform_rpc(
            destination_identity="callee", method="ask", payload=""
        )
    ]


@probe(
    "joining",
    "set_attributes without the grant canUpdateOwnMetadata?",
    "returns; no event; attributes {}",
)
async def _attributes_without_grant(around: Surroundings) -> Sequence[str]:
    observer = await around.join("observer")
    worker = await around.publisher("worker", observer)
    await worker.room.local_participant.set_attributes({"a": "1"})
    await around.clock.sleep(0.5)
    changed = [each for each in observer.seen + worker.seen if "attributes" in each]
    attributes = dict(worker.room.local_participant.attributes)
    return [f"returns; {'; '.join(changed) or 'no event'}; attributes {attributes}"]


@probe(
    "joining",
    "wait_for_subscription() of a publication, with nobody else in the room; once somebody is?",
    "waits",
    "returns",
)
async def _subscription(around: Surroundings) -> Sequence[str]:
    worker = await around.join("worker")
    await around.server.publish_video(worker.room)
    (publication,) = worker.room.local_participant.track_publications.values()
    waiting = asyncio.ensure_future(publication.wait_for_subscription())
    await around.clock.sleep(1.0)
    seen = ["returns" if waiting.done() else "waits"]
    await around.join("observer")
    await asyncio.wait([waiting], timeout=5.0)
    seen.append("returns" if waiting.done() else "waits")
    waiting.cancel()
    return seen
