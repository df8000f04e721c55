from __future__ import annotations

import importlib.metadata

import pytest
from packaging.version import Version

from conformance import host
from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual
from conformance.requirements.host_defects import host_defects
from conformance.results.outcomes import CheckId, NotApplicable, Violation
from conformance.results.timeline import Timeline
from conformance.suite.checks import load
from conformance.suite.registry import Check, registered
from conformance.suite.scene.host_chain import ChainScene, EndpointSwap, HostSwap, SwapMechanism

HOST = Version(importlib.metadata.version("livekit-agents"))
load()
CHECKS = {c.requirement: c for c in registered() if c.requirement.startswith("HOST-")}
IDS = [f"HOST-{number:02}" for number in range(1, 17)]
CASES = [(id, variant) for id in IDS for variant in CHECKS[id].variants or (None,)]


def judge(
    kit: SwapMechanism, check: Check, variant: str | None = None, seed: int | None = None
) -> str:
    """The outcome of one check, in words."""

    async def main(clock: VirtualClock) -> None:
        scene = ChainScene(kit, clock, Timeline(clock.now))
        await check.function(scene, *(() if variant is None else (variant,)))

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


def judged(kit: SwapMechanism, seed: int | None = None) -> dict[str, str]:
    """The outcome of every check, by id and variant."""
    return {
        id if variant is None else f"{id}[{variant}]": judge(kit, CHECKS[id], variant, seed)
        for id, variant in CASES
    }


def known_failures() -> set[str]:
    """The checks that a listed defect of the host explains for the host itself."""
    return {
        name
        for name in judged(HostSwap())
        for defect in host_defects()
        if defect.explains(CheckId("host", *named(name)), str(HOST))
    }


def named(check: str) -> tuple[str, str | None]:
    """The requirement and the variant of ``HOST-10[two-pending]``."""
    requirement, _, variant = check.rstrip("]").partition("[")
    return requirement, variant or None


@pytest.mark.parametrize(("requirement", "variant"), CASES)
def test_the_endpoint_holds(requirement: str, variant: str | None) -> None:
    """The project's own endpoint holds every requirement on the installed host."""
    outcome = judge(EndpointSwap(), CHECKS[requirement], variant)
    if requirement == "HOST-16" and not host.has_progress_events():
        assert outcome == "not-applicable: this livekit-agents has no playback_progressed event"
    else:
        assert outcome == "passed"


@pytest.mark.parametrize("seed", range(5))
def test_the_endpoint_holds_in_any_order_of_ready_tasks(seed: int) -> None:
    """Shuffling what is ready at the same moment changes no verdict on the endpoint."""
    outcomes = judged(EndpointSwap(), seed)
    assert {id for id, outcome in outcomes.items() if outcome.startswith("failed")} == set()


def test_the_installed_host_fails_what_its_listed_defects_say_and_nothing_else() -> None:
    """Each failure of the host itself is listed, with the range of versions that it is in."""
    failed = {name for name, outcome in judged(HostSwap()).items() if outcome.startswith("failed")}
    assert failed == known_failures()


def test_a_host_without_an_unbind_is_exempt_from_it() -> None:
    """HOST-13 does not apply to a released host, by a stated rule."""
    outcome = judge(HostSwap(), CHECKS["HOST-13"])
    assert outcome == f"not-applicable: livekit-agents {HOST} has no call that unbinds the tail"


@pytest.mark.needs("livekit-agents==1.6.1")
def test_the_first_host_with_a_swap_point_is_caught() -> None:
    """livekit-agents 1.6.1 reports what was pushed as played, and does not flush the old tail."""
    outcomes = judged(HostSwap())
    assert "finished at 2.00 s, with 2.00 s pushed" in outcomes["HOST-10[one-pending]"]
    assert "it was told clear" in outcomes["HOST-12"]


@pytest.mark.needs("livekit-agents<1.6.1")
def test_a_host_without_swap_point_says_so_in_one_line() -> None:
    """Up to livekit-agents 1.6.0 what needs a swap fails by the missing call, named with 1.6.1."""
    outcome = judge(HostSwap(), CHECKS["HOST-07"])
    assert f"livekit-agents {HOST} has no swap call" in outcome
    assert "from 1.6.1 on" in outcome
