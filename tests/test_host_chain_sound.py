from __future__ import annotations

import importlib.metadata

import pytest
from packaging.version import Version

from conformance.loopback.clock import VirtualClock, run_virtual
from conformance.outcomes import NotApplicable, Violation
from conformance.suite import host_chain
from conformance.suite.host_chain import ChainKit, ChainScene, EndpointKit, HostKit
from conformance.suite.registry import Check, registered
from conformance.timeline import Timeline

HOST = Version(importlib.metadata.version("livekit-agents"))
CHECKS = {
    c.requirement: c for c in registered() if c.function.__module__.startswith(host_chain.__name__)
}
IDS = [f"HOST-{number:02}" for number in range(1, 17)]


def judge(kit: ChainKit, check: Check, seed: int | None = None) -> str:
    """The outcome of one check, in words."""

    async def main(clock: VirtualClock) -> None:
        await check.function(ChainScene(kit, clock, Timeline(clock.now)))

    try:
        run_virtual(main, seed=seed)
    except Violation as violation:
        return f"failed: {violation}"
    except NotApplicable as exempt:
        return f"not-applicable: {exempt.rule}"
    return "passed"


def test_every_requirement_of_the_family_has_one_check() -> None:
    """HOST-01 to HOST-16 are declared, each once."""
    declared = [c.requirement for c in registered() if c.requirement.startswith("HOST-")]
    assert sorted(declared) == IDS


@pytest.mark.parametrize("requirement", IDS)
def test_the_endpoint_holds(requirement: str) -> None:
    """The project's own endpoint holds every requirement on the installed host."""
    outcome = judge(EndpointKit(), CHECKS[requirement])
    if requirement == "HOST-16" and Version("1.6.2") > HOST:
        assert outcome == "not-applicable: this livekit-agents has no playback_progressed event"
    else:
        assert outcome == "passed"


@pytest.mark.parametrize("seed", range(5))
def test_the_endpoint_holds_in_any_order_of_ready_tasks(seed: int) -> None:
    """Shuffling what is ready at the same moment changes no verdict on the endpoint."""
    outcomes = {id: judge(EndpointKit(), CHECKS[id], seed) for id in IDS}
    assert {id for id, outcome in outcomes.items() if outcome.startswith("failed")} == set()


@pytest.mark.skipif(Version("1.8.9") > HOST, reason="older hosts have known defects")
@pytest.mark.parametrize("requirement", IDS)
def test_the_installed_host_holds(requirement: str) -> None:
    """The newest host holds every requirement; HOST-13 does not apply, as it cannot unbind."""
    outcome = judge(HostKit(), CHECKS[requirement])
    if requirement == "HOST-13":
        assert outcome == f"not-applicable: livekit-agents {HOST} has no call that unbinds the tail"
    else:
        assert outcome == "passed"


@pytest.mark.skipif(Version("1.6.1") != HOST, reason="about livekit-agents 1.6.1 only")
def test_the_first_host_with_a_swap_point_is_caught() -> None:
    """livekit-agents 1.6.1 reports what was pushed as played, and does not flush the old tail."""
    failed = {id: o for id in IDS if (o := judge(HostKit(), CHECKS[id])).startswith("failed")}
    assert set(failed) == {"HOST-10", "HOST-12"}
    assert "finished at 2.00 s, with 2.00 s pushed" in failed["HOST-10"]
    assert "it was told clear" in failed["HOST-12"]


@pytest.mark.skipif(Version("1.6.1") <= HOST, reason="about hosts without a swap point")
def test_a_host_without_swap_point_is_exempt() -> None:
    """Up to livekit-agents 1.6.0 the host's own requirements do not apply, by a stated rule."""
    outcome = judge(HostKit(), CHECKS["HOST-03"])
    assert (
        outcome == f"not-applicable: livekit-agents {HOST} has no swap point; 1.6.1 was the first"
    )
