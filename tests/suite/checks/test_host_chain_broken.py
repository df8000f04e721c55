from __future__ import annotations

from collections.abc import Callable

import pytest

from conformance import host
from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual
from conformance.results.outcomes import NotApplicable, Violation
from conformance.results.timeline import Timeline
from conformance.suite.checks import load
from conformance.suite.registry import registered
from conformance.suite.scene.host_chain import ChainScene, EndpointSwap
from tests.broken_chains import BROKEN

load()
CHECKS = {c.requirement: c for c in registered() if c.requirement.startswith("HOST-")}
PROGRESS = {"HOST-16"} if not host.has_progress_events() else set()


@pytest.mark.parametrize(("requirement", "observed", "kit"), BROKEN)
def test_a_broken_chain_fails_for_its_reason(
    requirement: str, observed: str, kit: Callable[[], EndpointSwap]
) -> None:
    """A small change to the sound endpoint fails the check that is there for it, in its words."""

    requirement, _, variant = requirement.rstrip("]").partition("[")
    check = CHECKS[requirement]
    arguments = (variant,) if variant else check.variants[:1]

    async def main(clock: VirtualClock) -> None:
        await check.function(ChainScene(kit(), clock, Timeline(clock.now)), *arguments)

    if requirement in PROGRESS:
        with pytest.raises(NotApplicable):
            run_virtual(main)
        return
    with pytest.raises(Violation) as caught:
        run_virtual(main)
    assert observed in str(caught.value)


def test_every_check_has_a_broken_chain() -> None:
    """No check of the family is without something that it fails, nor any variant but the first."""
    due = {
        c.requirement if c.variants[:1] == (variant,) or variant is None else f"{id}[{variant}]"
        for id, c in CHECKS.items()
        for variant in c.variants or (None,)
    }
    assert {requirement for requirement, _, _ in BROKEN} == due
