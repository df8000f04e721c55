"""The same questions to a real LiveKit server and to the loopback room, one by one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.live.launcher import LiveServer, ServerMissing
from conformance.live.stage import LiveRunner
from conformance.loopback.room import data_streams as streams
from conformance.loopback.stage import LoopbackRunner
from conformance.stage.interface import Stage, StageRunner
from tests.live_server.behaviour import Probe, Surroundings, all_probes, document

PROBES = all_probes()
OF_THE_SDK = ("sender-leaves", "reader-leaves", "too-little", "reason")
"""Questions that a participant's own SDK answers."""


@pytest.fixture(scope="session")
def live() -> Iterator[StageRunner]:
    """A real server; tests that need one are skipped by this rule where there is none."""
    try:
        server = LiveServer.start()
    except ServerMissing as missing:
        if "LIVEKIT_SERVER" in os.environ:
            raise
        pytest.skip(f"the live stage did not run: {missing}")
    with server:
        yield LiveRunner.of(server.credentials)


def _ask(runner: StageRunner, probe: Probe) -> tuple[str, ...]:
    async def scenario(stage: Stage) -> tuple[str, ...]:
        around = Surroundings(stage.server, stage.clock)
        return tuple(await probe.observe(around))

    return runner.run(scenario)


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: probe.name)
def test_real_server_answers_as_documented(live: StageRunner, probe: Probe) -> None:
    """A real server still answers what the documentation says it does."""
    assert _ask(live, probe) == probe.real


@pytest.mark.parametrize(
    "probe", [probe for probe in PROBES if not probe.only_real], ids=lambda probe: probe.name
)
def test_loopback_room_answers_as_the_real_server(probe: Probe) -> None:
    """The loopback room gives the real server's answer, or the different one that is documented."""
    if probe.name in OF_THE_SDK and not streams.BREAKS_OFF:
        pytest.skip("this rtc does not tell a reader that its stream broke off")
    answer = _ask(LoopbackRunner(), probe)
    assert probe.expects_of_loopback(answer), f"{answer} is not {probe.loopback or probe.real}"


def test_document_is_made_from_the_probes() -> None:
    """docs/server-behaviour.md is what `python -m tests.live_server.behaviour` writes."""
    path = Path(__file__).parents[2] / "docs" / "server-behaviour.md"
    assert path.read_text(encoding="utf-8") == document(), (
        "write it again: python -m tests.live_server.behaviour > docs/server-behaviour.md"
    )
