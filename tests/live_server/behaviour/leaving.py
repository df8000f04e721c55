"""What happens when somebody leaves, is removed, or is displaced by the same identity."""

from __future__ import annotations

from collections.abc import Sequence

from livekit import api, rtc

from .probe import TICK, Surroundings, Watched, probe, reason_of

GONE = (
    "track_unsubscribed video worker",
    "track_unpublished video worker",
    "participant_disconnected worker",
)
CONNECTED_AGAIN = (
    "participant_connected worker",
    "participant_active worker",
    "track_published video worker",
    "track_subscribed video worker",
)


@probe("leaving", "disconnect() of a publisher: what do others see?", *GONE, "CLIENT_INITIATED")
async def _leaves(around: Surroundings) -> Sequence[str]:
    observer = await around.join("observer")
    worker = await around.publisher("worker", observer)
    reasons = _reasons(observer)
    await worker.room.disconnect()
    await observer.until("participant_disconnected")
    return [*observer.seen, *reasons]


@probe(
    "leaving",
    "disconnect() of a publisher: what does it see itself?",
    "local_track_unpublished video",
    "connection_state_changed",
)
async def _leaves_itself(around: Surroundings) -> Sequence[str]:
    worker = await around.publisher("worker")
    await around.clock.sleep(0.3)
    worker.forget()
    await worker.room.disconnect()
    # `disconnected` was missing in one of six runs on a real server, so nobody may count on it.
    return [each for each in worker.seen if each != "disconnected"]


@probe("leaving", "remove_participant: what does the removed one see?", "DISCONNECTED", "removed")
async def _removed_itself(around: Surroundings) -> Sequence[str]:
    worker = await around.publisher("worker")
    await around.clock.sleep(0.3)
    seen: list[str] = []

    def changed(state: rtc.ConnectionState.ValueType) -> None:
        seen.append(rtc.ConnectionState.Name(state).removeprefix("CONN_"))

    def lost(reason: rtc.DisconnectReason.ValueType) -> None:
        removed = reason == rtc.DisconnectReason.PARTICIPANT_REMOVED
        seen.append("removed" if removed else rtc.DisconnectReason.Name(reason))

    worker.room.on("connection_state_changed", changed)
    worker.room.on("disconnected", lost)
    await around.remove("worker")
    await worker.until("disconnected")
    await around.clock.sleep(1.0)
    return seen


@probe(
    "leaving",
    "remove_participant of a publisher: what do others see?",
    *GONE,
    "PARTICIPANT_REMOVED",
)
async def _removed(around: Surroundings) -> Sequence[str]:
    observer = await around.join("observer")
    await around.publisher("worker", observer)
    reasons = _reasons(observer)
    await around.remove("worker")
    await observer.until("participant_disconnected")
    return [*observer.seen, *reasons]


@probe(
    "leaving",
    "remove_participant of an identity that is not there, that was removed before, of a room "
    "that is not there?",
    "not_found 404",
    "not_found 404",
    "not_found 404",
)
async def _removed_nobody(around: Surroundings) -> Sequence[str]:
    await around.join("observer")
    await around.join("once")
    await around.remove("once")
    answers = []
    for identity, room in (("nobody", None), ("once", None), ("observer", "elsewhere")):
        try:
            await around.remove(identity, room=room)
            answers.append("removed")
        except api.TwirpError as error:
            answers.append(f"{error.code} {error.status}")
    return answers


@probe("leaving", "Does the token of a removed participant still let it in?", "it is in the room")
async def _comes_back(around: Surroundings) -> Sequence[str]:
    token = around.token("worker")
    await around.server.join(token)
    await around.clock.sleep(0.3)
    await around.remove("worker")
    await around.clock.sleep(0.3)
    room = await around.server.join(token)
    return ["it is in the room" if room.isconnected() else "it is not"]


@probe("leaving", "The room API with a wrong secret?", "unknown 401")
async def _api_with_wrong_secret(around: Surroundings) -> Sequence[str]:
    credentials = around.server.credentials
    async with api.LiveKitAPI(credentials.url, credentials.api_key, "x" * 32) as room_api:
        try:
            await room_api.room.remove_participant(
                api.RoomParticipantIdentity(room=around.room_name, identity="nobody")
            )
        except api.TwirpError as error:
            return [f"{error.code} {error.status}"]
    return ["accepted"]


@probe(
    "same identity",
    "What does the first one see, when the identity joins a second time?",
    "DUPLICATE_IDENTITY",
    "before connect() of the second has returned",
)
async def _displaced(around: Surroundings) -> Sequence[str]:
    first = await around.publisher("worker")
    reasons: list[str] = []
    first.room.on("disconnected", lambda why: reasons.append(rtc.DisconnectReason.Name(why)))
    await around.server.join(around.token("worker"))
    when = "before" if reasons else "after"
    await first.until("disconnected")
    return [*reasons, f"{when} connect() of the second has returned"]


@probe(
    "same identity",
    "What do others see when both publish?",
    *GONE,
    *CONNECTED_AGAIN,
    "UNKNOWN_REASON",
)
async def _displaced_for_others(around: Surroundings) -> Sequence[str]:
    observer = await around.join("observer")
    await around.publisher("worker", observer)
    reasons = _reasons(observer)
    second = await around.server.join(around.token("worker"))
    await around.server.publish_video(second)
    await observer.until("track_subscribed")
    return [*observer.seen, *reasons]


@probe(
    "same identity",
    "What do others see when the first published and the second does not?",
    *GONE,
    "participant_connected worker",
    "participant_active worker",
)
async def _displaced_by_a_quiet_one(around: Surroundings) -> Sequence[str]:
    observer = await around.join("observer")
    await around.publisher("worker", observer)
    await around.server.join(around.token("worker"))
    await observer.until("participant_active", within=TICK + 2)
    return observer.seen


def _reasons(observer: Watched) -> list[str]:
    reasons: list[str] = []
    observer.room.on("participant_disconnected", lambda who: reasons.append(reason_of(who)))
    return reasons
