"""The live stage: a scenario on a real server is watched, bounded, and leaves nothing behind."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from livekit import api, rtc

from conformance.errors import KitError
from conformance.live.launcher import LiveServer, ServerMissing
from conformance.live.stage import LiveRunner, TooLong
from conformance.stage.faults import Fault
from conformance.stage.interface import Stage
from tests.live_server.rules import rules

ROOM = "stage"


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    """A real server; tests that need one are skipped by this rule where there is none."""
    try:
        server = LiveServer.start()
    except ServerMissing as missing:
        if "LIVEKIT_SERVER" in os.environ:
            raise
        pytest.skip(f"the live stage did not run: {missing}")
    with server:
        yield server


@pytest.fixture
def runner(server: LiveServer) -> LiveRunner:
    """A runner of the real server."""
    return LiveRunner.of(server.credentials)


def _token(stage: Stage, identity: str) -> str:
    credentials = stage.server.credentials
    return (
        api.AccessToken(credentials.api_key, credentials.api_secret)
        .with_identity(identity)
        .with_grants(api.VideoGrants(room_join=True, room=ROOM))
        .to_jwt()
    )


async def _remove(identity: str) -> None:
    async with api.LiveKitAPI() as room_api:
        await room_api.room.remove_participant(
            api.RoomParticipantIdentity(room=ROOM, identity=identity)
        )


def test_those_who_joined_are_known_at_once(runner: LiveRunner) -> None:
    """participants() knows everybody in the room, and nobody any more who has left."""

    async def scenario(stage: Stage) -> list[list[str]]:
        await stage.server.join(_token(stage, "agent"))
        worker = await stage.server.join(_token(stage, "worker"))
        before = list(stage.server.participants(ROOM))
        await worker.disconnect()
        return [before, list(stage.server.participants(ROOM))]

    assert runner.run(scenario) == [["agent", "worker"], ["agent"]]


def test_nobody_of_one_run_is_met_by_the_next(runner: LiveRunner) -> None:
    """Rooms have the same names in every run, and are empty at its beginning."""

    async def scenario(stage: Stage) -> list[str]:
        room = await stage.server.join(_token(stage, "agent"))
        others = list(room.remote_participants)
        guest = await stage.server.join(_token(stage, "guest"))
        await stage.server.publish_video(guest)
        return others

    assert [runner.run(scenario), runner.run(scenario)] == [[], []]


def test_removals_are_seen(runner: LiveRunner) -> None:
    """Whoever was asked to be removed through the room API is known, found or not."""

    async def scenario(stage: Stage) -> list[str]:
        await stage.server.join(_token(stage, "worker"))
        await _remove("worker")
        with pytest.raises(api.TwirpError):
            await _remove("nobody")
        return list(stage.server.removals())

    assert runner.run(scenario) == ["worker", "nobody"]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("status", status=503), api.TwirpError),
        (Fault("refused"), aiohttp.ClientError),
        (Fault("reset-inside-answer"), aiohttp.ClientError),
        (Fault("never-answers"), asyncio.TimeoutError),
    ],
    ids=str,
)
def test_room_api_can_be_made_to_fail(
    runner: LiveRunner, fault: Fault, error: type[Exception]
) -> None:
    """The room API of a real server shows a fault until it is mended."""

    async def scenario(stage: Stage) -> list[str]:
        room = await stage.server.join(_token(stage, "worker"))
        stage.server.fail_api(fault)
        with pytest.raises(error):
            await asyncio.wait_for(_remove("worker"), 1.0)
        connected = room.isconnected()
        stage.server.fail_api(None)
        await _remove("worker")
        return [f"connected under the fault: {connected}"]

    assert runner.run(scenario) == ["connected under the fault: True"]


def test_job_removes_through_the_real_room_api(runner: LiveRunner) -> None:
    """A job's own API client reaches the real server, with credentials from the environment."""

    async def scenario(stage: Stage) -> bool:
        agent = await stage.server.join(_token(stage, "agent"))
        worker = await stage.server.join(_token(stage, "worker"))
        gone = asyncio.Event()
        worker.on("disconnected", lambda reason: gone.set())
        async with stage.job(agent) as job:
            await job.context.api.room.remove_participant(
                api.RoomParticipantIdentity(room=agent.name, identity="worker")
            )
            await asyncio.wait_for(gone.wait(), 5.0)
            await job.context.api.aclose()
        return worker.isconnected()

    assert runner.run(scenario) is False


def test_undeclared_host_is_refused_and_named(runner: LiveRunner) -> None:
    """Only the LiveKit server is let through; other addresses are refused and remembered."""

    async def scenario(stage: Stage) -> list[str]:
        async with aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorError):
                await session.get("https://elsewhere.example/")
        return [contact.address for contact in stage.undeclared_contacts]

    assert runner.run(scenario) == ["elsewhere.example:443"]


def test_environment_is_put_back(runner: LiveRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    """LIVEKIT_ variables name the stage's server during a run, and are restored after it."""
    monkeypatch.setenv("LIVEKIT_URL", "wss://mine.example")
    monkeypatch.delenv("LIVEKIT_API_KEY", raising=False)

    async def scenario(stage: Stage) -> bool:
        return os.environ["LIVEKIT_URL"] == stage.server.credentials.url

    assert runner.run(scenario) is True
    assert os.environ["LIVEKIT_URL"] == "wss://mine.example"
    assert "LIVEKIT_API_KEY" not in os.environ


def test_run_is_bounded(server: LiveServer) -> None:
    """A scenario that waits for what never comes ends with the limit."""
    runner = LiveRunner.of(server.credentials, limit=0.5)

    async def scenario(stage: Stage) -> None:
        await asyncio.Event().wait()

    with pytest.raises(TooLong, match=r"0\.5 s of real time"):
        runner.run(scenario)


def test_what_a_scenario_raises_is_passed_on(runner: LiveRunner) -> None:
    """A violation in a scenario reaches the caller of run()."""

    async def scenario(stage: Stage) -> None:
        raise AssertionError("observed")

    with pytest.raises(AssertionError, match="observed"):
        runner.run(scenario)


def test_server_that_is_not_there_is_the_kits_error(server: LiveServer) -> None:
    """Where nothing answers at the URL, the check ends with one clear line."""
    runner = LiveRunner("ws://127.0.0.1:9", "key", "secret")

    async def scenario(stage: Stage) -> None:
        raise AssertionError("unreachable: the stage cannot be opened")

    with pytest.raises(KitError, match=r"ws://127\.0\.0\.1:9 does not answer"):
        runner.run(scenario)


def test_killed_server_ends_the_check_in_bounded_time(server: LiveServer) -> None:
    """A server that dies in the middle ends the check at once, as an error of the kit."""
    doomed = LiveServer.start()
    runner = LiveRunner.of(doomed.credentials)
    began = time.monotonic()

    async def scenario(stage: Stage) -> None:
        room = await stage.server.join(_token(stage, "agent"))
        await stage.server.publish_video(room)
        doomed.kill()
        await asyncio.Event().wait()

    with doomed, pytest.raises(KitError, match="went away during the check"):
        runner.run(scenario)
    assert time.monotonic() - began < 20.0
    assert not doomed.running


def test_refused_token_is_a_connect_error(runner: LiveRunner) -> None:
    """join() raises the SDK's own error when the server refuses the token."""

    async def scenario(stage: Stage) -> str:
        with pytest.raises(rtc.ConnectError) as refused:
            await stage.server.join("no token")
        return str(refused.value.message)

    assert "401" in runner.run(scenario)


def test_checks_that_need_virtual_time_are_told_apart_by_rule() -> None:
    """A rule, with its reason, says which checks are not played in real time."""
    known = rules()
    assert known["PLAY-08"] == "needs virtual time: a segment of 10 minutes"
    assert "UNBIND-10[room-api-silent]" in known
    assert "UNBIND-10[backend-silent]" not in known
    assert "SWAP-01[close-then-start]" not in known


GIVES_UP = """\
import asyncio, sys
from livekit import api
from conformance.live.stage import LiveRunner

async def scenario(stage):
    grants = api.VideoGrants(room_join=True, room="stage")
    credentials = stage.server.credentials
    for number in range(10):
        token = api.AccessToken(credentials.api_key, credentials.api_secret)
        token = token.with_identity(f"worker-{number}").with_grants(grants).to_jwt()
        joining = asyncio.ensure_future(stage.server.join(token))
        await asyncio.sleep(0.01 * number)
        joining.cancel()
        await asyncio.wait([joining])
    await asyncio.sleep(15)  # the SDK waits for 10 s before it gives up the process

LiveRunner(*sys.argv[1:]).run(scenario)
print("alive")
"""


def test_joining_that_is_given_up_harms_nobody(server: LiveServer) -> None:
    """A participant whose join() is cancelled half-way does not end the process later."""
    credentials = server.credentials
    ended = subprocess.run(
        [
            *(sys.executable, "-c", GIVES_UP),
            *(credentials.url, credentials.api_key, credentials.api_secret),
        ],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.stdout.split() == ["alive"], ended.stderr
