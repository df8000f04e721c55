from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from conformance.loopback.stage import LoopbackRunner
from conformance.results.outcomes import (
    CheckId,
    CheckResult,
    Finding,
    Level,
    NotApplicable,
    Outcome,
)
from conformance.suite.registry import Check
from conformance.suite.runner import evidence as judging
from conformance.suite.runner.reference import reference_provider
from conformance.suite.scene.expect import expect
from conformance.suite.scene.resources import ResourceSnapshot
from conformance.suite.scene.scene import Scene

RUNNER = LoopbackRunner()


@pytest.fixture(autouse=True)
def _nothing_is_kept() -> Iterator[None]:
    judging.forget()
    yield
    judging.forget()


class Witness:
    """A scenario that remembers whom it was played with."""

    def __init__(self) -> None:
        self.played: list[str] = []

    async def __call__(self, scene: Scene, variant: str = "") -> str:
        self.played.append(scene.provider.name + variant)
        scene.timeline.record("check", "looked")
        return "what was seen"


def judge(check: Check, *, variant: str | None = None, **options: Any) -> CheckResult:
    """The verdict on the reference provider."""
    blank = CheckResult(
        CheckId("reference", check.requirement, variant), Level.MUST, Outcome.PASSED
    )
    values: dict[str, Any] = {"seed": None, "peers": {}, "runner": RUNNER, **options}
    runner = values.pop("runner")
    return judging.judge(blank, check, reference_provider(), runner, **values)


def content(seen: str, variant: str = "") -> str:
    """A check that notes what it was handed."""
    return seen


def discontent(seen: str) -> None:
    """A check that wants to see something else."""
    expect(False, "something else", seen)


def test_checks_with_the_same_evidence_are_judged_by_one_playing() -> None:
    """Each by its own expectation, with the same timeline."""
    evidence = Witness()

    first = judge(Check("FAULT-01", content, scenario=evidence))
    second = judge(Check("FAULT-02", discontent, scenario=evidence))

    assert evidence.played == ["reference"]
    assert (first.outcome, first.reason) == (Outcome.PASSED, "what was seen")
    assert second.outcome is Outcome.FAILED
    assert second.finding == Finding("something else", "what was seen")
    assert [event.kind for event in first.events if event.kind == "looked"] == ["looked"]
    assert first.events == second.events
    assert first.simulated_seconds == second.simulated_seconds


def test_another_variant_or_order_of_tasks_is_played_for_itself() -> None:
    """What is shared depends on nothing that may change what is seen."""
    evidence = Witness()
    check = Check("FAULT-01", content, ("a", "b"), scenario=evidence)

    for variant, seed in (("a", None), ("b", None), ("a", 7), ("b", None)):
        judge(check, variant=variant, seed=seed)

    assert evidence.played == ["referencea", "referenceb", "referencea"]


def test_in_real_time_every_check_is_played_for_itself() -> None:
    """There a second playing may come out otherwise."""

    class RealTime(LoopbackRunner):
        virtual = False

    evidence, runner = Witness(), RealTime()
    check = Check("FAULT-01", content, scenario=evidence)

    judge(check, runner=runner)
    judge(check, runner=runner)

    assert evidence.played == ["reference", "reference"]


def test_evidence_that_does_not_apply_is_nobodys_failure() -> None:
    """What the scenario raises is the outcome of every check that asks for it."""

    async def evidence(scene: Scene) -> str:
        raise NotApplicable("there is nothing to see")

    for check in (content, discontent):
        result = judge(Check("FAULT-01", check, scenario=evidence))
        assert (result.outcome, result.reason) == (
            Outcome.NOT_APPLICABLE,
            "there is nothing to see",
        )


def test_what_the_reference_provider_leaves_is_allowed() -> None:
    """A scenario beside the check is played with the reference provider, once."""
    played: list[str] = []

    async def beside(scene: Scene) -> ResourceSnapshot:
        played.append(scene.provider.name)
        return ResourceSnapshot({"task of the host": 1})

    async def check(scene: Scene, *, allowed: ResourceSnapshot) -> None:
        scene.notes.append(", ".join(allowed.things))

    results = [judge(Check(name, check, control=beside)) for name in ("FAULT-06", "UNBIND-08")]

    assert [result.reason for result in results] == ["task of the host"] * 2
    assert played == ["reference"]
