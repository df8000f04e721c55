"""The loopback stage: its environment, its job, its room API, and that it leaves nothing."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
from livekit import api, rtc
from livekit.agents import get_job_context, utils

from conformance.loopback.room import tracks as media
from conformance.loopback.stage import CREDENTIALS, LoopbackRunner, LoopbackStage
from conformance.stage.faults import Fault
from conformance.stage.interface import Stage, StageRunner


def mint(identity: str, **grants: Any) -> str:
    """A token as an application mints it from the environment."""
    return (
        api.AccessToken()
        .with_identity(identity)
        .with_kind("agent")
        .with_grants(api.VideoGrants(**{"room_join": True, "room": "demo", **grants}))
        .to_jwt()
    )


async def remove(stage: Any, identity: str) -> None:
    """Remove a participant as a job does."""
    await get_job_context().api.room.remove_participant(
        api.RoomParticipantIdentity(room="demo", identity=identity)
    )


def in_a_job(scenario: Any) -> Any:
    """Run a scenario with a room and a job around it."""

    async def whole(stage: Stage) -> Any:
        room = await stage.server.join(mint("agent"))
        async with stage.job(room) as job:
            return await scenario(stage, room, job)

    return LoopbackRunner().run(whole)


def test_the_runner_is_a_stage_runner() -> None:
    """Name and kind of time are what the suite asks for."""
    runner: StageRunner = LoopbackRunner()
    assert (runner.name, runner.virtual) == ("loopback", True)


def test_the_environment_is_the_stages_and_then_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """LIVEKIT_* name this server during a scenario, and everything is restored after it."""
    monkeypatch.setenv("LIVEKIT_URL", "wss://mine.test")
    monkeypatch.setenv("LIVEKIT_OBSERVABILITY_URL", "https://mine.test")
    before = dict(os.environ)

    async def scenario(stage: Stage) -> dict[str, str]:
        os.environ["ADDED_BY_A_PLUGIN"] = "1"
        del os.environ["PATH"]
        return {k: v for k, v in os.environ.items() if k.startswith("LIVEKIT_")}

    assert LoopbackRunner().run(scenario) == {
        "LIVEKIT_URL": CREDENTIALS.url,
        "LIVEKIT_API_KEY": CREDENTIALS.api_key,
        "LIVEKIT_API_SECRET": CREDENTIALS.api_secret,
    }
    assert dict(os.environ) == before


def test_a_failed_scenario_is_cleaned_up_too() -> None:
    """An error comes out as it is, and environment and media classes are the old ones."""
    before = dict(os.environ)

    async def scenario(stage: Stage) -> None:
        await stage.server.join(mint("agent"))
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        LoopbackRunner().run(scenario)
    assert dict(os.environ) == before
    assert rtc.AudioSource is not media.LoopbackAudioSource


def test_a_job_knows_its_token_and_has_an_http_session() -> None:
    """Identity and claims come from the token; plugins find the shared HTTP session."""

    async def scenario(stage: Any, room: rtc.Room, job: Any) -> None:
        context = get_job_context()
        assert context is job.context
        assert context.local_participant_identity == "agent"
        assert context.token_claims().video.room == "demo"
        assert context.job.room.sid == await room.sid
        assert not utils.http_context.http_session().closed

    in_a_job(scenario)


def test_a_jobs_end_runs_its_shutdown_callbacks_once() -> None:
    """shutdown() disconnects the room, awaits every callback, and returns what they raised."""

    async def scenario(stage: Any, room: rtc.Room, job: Any) -> None:
        called: list[str] = []

        async def slow() -> None:
            await stage.clock.sleep(1)
            called.append("slow" if not room.isconnected() else "too early")

        async def broken(reason: str) -> None:
            called.append(reason)
            raise ValueError("no")

        job.context.add_shutdown_callback(slow)
        job.context.add_shutdown_callback(broken)
        raised = await job.shutdown("over")
        assert called == ["over", "slow"]
        assert [str(error) for error in raised] == ["no"]
        assert await job.shutdown() == ()
        assert called == ["over", "slow"]

    in_a_job(scenario)


def test_a_jobs_directory_is_gone_afterwards() -> None:
    """The recordings' directory is there during the job only."""

    async def scenario(stage: Any, room: rtc.Room, job: Any) -> Any:
        assert job.session_directory.is_dir()
        return job.session_directory

    assert not in_a_job(scenario).exists()


def test_a_rooms_listeners_run_inside_the_job() -> None:
    """What an event of the agent's room starts can see the job."""

    async def scenario(stage: Any, room: rtc.Room, job: Any) -> None:
        seen: list[Any] = []
        room.on("participant_connected", lambda _: seen.append(get_job_context(required=False)))
        await stage.server.join(mint("other"))
        await stage.clock.sleep(0.1)
        assert seen == [job.context]

    in_a_job(scenario)


def test_remove_participant_is_a_real_request() -> None:
    """The job's API removes a participant, who is told why; the server remembers it."""

    async def scenario(stage: Any, room: rtc.Room, job: Any) -> None:
        other = await stage.server.join(mint("other"))
        reasons: list[Any] = []
        other.on("disconnected", reasons.append)
        await remove(stage, "other")
        await stage.clock.sleep(0.1)
        assert reasons == [rtc.DisconnectReason.PARTICIPANT_REMOVED]
        assert list(stage.server.participants("demo")) == ["agent"]
        assert stage.server.removals() == ("other",)

    in_a_job(scenario)


def test_removing_nobody_is_not_found() -> None:
    """An identity that is not there raises TwirpError not_found, status 404."""

    async def scenario(stage: Any, room: rtc.Room, job: Any) -> None:
        with pytest.raises(api.TwirpError) as caught:
            await remove(stage, "nobody")
        assert (caught.value.code, caught.value.status) == ("not_found", 404)

    in_a_job(scenario)


def test_the_room_api_checks_the_token() -> None:
    """A wrong secret is refused with status 401 before anything happens."""

    async def scenario(stage: Any, room: rtc.Room, job: Any) -> None:
        wrong = api.LiveKitAPI(
            CREDENTIALS.url,
            CREDENTIALS.api_key,
            "x" * 40,
            session=utils.http_context.http_session(),
        )
        with pytest.raises(api.TwirpError) as caught:
            await wrong.room.remove_participant(
                api.RoomParticipantIdentity(room="demo", identity="agent")
            )
        assert (caught.value.code, caught.value.status) == ("unknown", 401)
        assert stage.server.removals() == ()

    in_a_job(scenario)


def test_the_room_api_needs_the_admin_grant() -> None:
    """A participant's own token cannot remove anybody."""

    async def scenario(stage: Any, room: rtc.Room, job: Any) -> int:
        async with utils.http_context.http_session().post(
            "https://conformance.livekit.test/twirp/livekit.RoomService/RemoveParticipant",
            headers={"Authorization": f"Bearer {mint('other')}"},
            data=api.RoomParticipantIdentity(room="demo", identity="agent").SerializeToString(),
        ) as response:
            assert (await response.json())["code"] == "unauthenticated"
            return response.status

    assert in_a_job(scenario) == 401


def test_participants_can_be_listed_and_read() -> None:
    """ListParticipants and GetParticipant tell identity, attributes and tracks."""

    async def scenario(stage: Any, room: rtc.Room, job: Any) -> None:
        await stage.server.publish_video(room)
        service = get_job_context().api.room
        listed = await service.list_participants(api.ListParticipantsRequest(room="demo"))
        assert [participant.identity for participant in listed.participants] == ["agent"]
        read = await service.get_participant(
            api.RoomParticipantIdentity(room="demo", identity="agent")
        )
        assert [track.name for track in read.tracks] == ["avatar_video"]

    in_a_job(scenario)


def test_a_deleted_room_disconnects_everybody() -> None:
    """DeleteRoom ends every connection with ROOM_DELETED."""

    async def scenario(stage: Any, room: rtc.Room, job: Any) -> None:
        reasons: list[Any] = []
        room.on("disconnected", reasons.append)
        await get_job_context().api.room.delete_room(api.DeleteRoomRequest(room="demo"))
        await stage.clock.sleep(0.1)
        assert reasons == [rtc.DisconnectReason.ROOM_DELETED]

    in_a_job(scenario)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("status", status=503),
        Fault("refused"),
        Fault("reset-before-answer"),
        Fault("reset-inside-answer"),
        Fault("never-answers"),
        Fault("not-json"),
        Fault("redirect-to-undeclared-host"),
    ],
    ids=str,
)
def test_the_room_api_can_fail(fault: Fault) -> None:
    """Every fault keeps the call from working, and is gone when it is withdrawn."""

    async def scenario(stage: Any, room: rtc.Room, job: Any) -> None:
        await stage.server.join(mint("other"))
        stage.server.fail_api(fault)
        with pytest.raises(Exception):  # noqa: B017, PT011  # each fault has another error
            await asyncio.wait_for(remove(stage, "other"), 20)
        stage.server.fail_api(None)
        await remove(stage, "other")

    in_a_job(scenario)


def test_a_slow_room_api_answers_late() -> None:
    """An answer that is slow comes after its delay."""

    async def scenario(stage: Any, room: rtc.Room, job: Any) -> None:
        await stage.server.join(mint("other"))
        stage.server.fail_api(Fault("answers-slowly", delay=5.0))
        began = stage.clock.now()
        await remove(stage, "other")
        assert stage.clock.now() - began == pytest.approx(5.0)

    in_a_job(scenario)


def test_a_fault_that_makes_no_sense_is_refused() -> None:
    """A fault of JSON fields is no fault of protobuf messages."""

    async def scenario(stage: Stage) -> None:
        with pytest.raises(ValueError, match="cannot show 'field-missing'"):
            stage.server.fail_api(Fault("field-missing"))

    LoopbackRunner().run(scenario)


def test_another_host_cannot_be_reached_and_is_remembered() -> None:
    """A request elsewhere fails, and the stage tells the address."""

    async def scenario(stage: Any, room: rtc.Room, job: Any) -> None:
        with pytest.raises(OSError, match="not a declared host"):
            await utils.http_context.http_session().get("https://elsewhere.test/")
        (contact,) = stage.undeclared_contacts
        assert "elsewhere.test" in contact.address

    in_a_job(scenario)


def test_a_stage_ends_every_connection() -> None:
    """Rooms that a scenario leaves open are disconnected when the stage closes."""

    async def scenario(stage: Stage) -> rtc.Room:
        assert isinstance(stage, LoopbackStage)
        return await stage.server.join(mint("agent"))

    assert not LoopbackRunner().run(scenario).isconnected()
