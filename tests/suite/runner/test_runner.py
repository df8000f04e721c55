from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from livekit.agents.voice import io

from conformance.loopback.stage import LoopbackRunner
from conformance.plugin.provider import Provider
from conformance.reference import adapter as reference_adapter
from conformance.results.outcomes import (
    CheckId,
    CheckResult,
    Finding,
    Level,
    NotApplicable,
    Outcome,
)
from conformance.stage.interface import StageRunner
from conformance.suite.registry import Check
from conformance.suite.runner import execution
from conformance.suite.runner import runner as runner_module
from conformance.suite.runner.reference import reference_provider
from conformance.suite.runner.runner import CheckRunner
from conformance.suite.runner.subjects import Subject
from conformance.suite.scene.expect import expect
from conformance.suite.scene.resources import ResourceSnapshot
from conformance.suite.scene.scene import Scene
from tests.mutants import load
from tests.mutants.mutant import MUTANTS, SoundAdapter
from tests.suite.check_runner import check_runner, subject_of


class Witness:
    """A scenario that remembers whom it was played with."""

    def __init__(self) -> None:
        self.played: list[str] = []

    async def __call__(self, scene: Scene, variant: str = "") -> str:
        self.played.append(scene.provider.name + variant)
        scene.timeline.record("check", "looked")
        return "what was seen"


PROVIDER = reference_provider()


def subject(*checks: Check) -> Subject:
    """The reference provider, to be judged by these checks."""
    return Subject(PROVIDER.name, checks, provider=PROVIDER)


def judge(check: Check, runner: CheckRunner, variant: str | None = None) -> CheckResult:
    """The result of the reference provider."""
    return runner.run(subject(check), check, variant)


def content(seen: str, variant: str = "") -> str:
    """A check that notes what it was handed."""
    return seen


def discontent(seen: str) -> None:
    """A check that wants to see something else."""
    expect(False, "something else", seen)


def test_checks_with_the_same_evidence_are_judged_by_one_playing() -> None:
    """Each by its own expectation, with the same timeline."""
    evidence, runner = Witness(), check_runner()

    first = judge(Check("FAULT-01", content, scenario=evidence), runner)
    second = judge(Check("FAULT-02", discontent, scenario=evidence), runner)

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

    runner = check_runner()
    for variant in ("a", "b", "b"):
        judge(check, runner, variant)
    judge(check, check_runner(seed=7), "a")

    assert evidence.played == ["referencea", "referenceb", "referencea"]


def test_in_real_time_every_check_is_played_for_itself() -> None:
    """There a second playing may come out otherwise."""

    class RealTime(LoopbackRunner):
        virtual = False

    evidence, runner = Witness(), CheckRunner(RealTime())
    check = Check("FAULT-01", content, scenario=evidence)

    judge(check, runner)
    judge(check, runner)

    assert evidence.played == ["reference", "reference"]


def test_evidence_that_does_not_apply_is_nobodys_failure() -> None:
    """What the scenario raises is the outcome of every check that asks for it."""

    async def evidence(scene: Scene) -> str:
        raise NotApplicable("there is nothing to see")

    runner = check_runner()
    for check in (content, discontent):
        result = judge(Check("FAULT-01", check, scenario=evidence), runner)
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

    runner = check_runner()
    results = [
        judge(Check(name, check, control=beside), runner) for name in ("FAULT-06", "UNBIND-08")
    ]

    assert [result.reason for result in results] == ["task of the host"] * 2
    assert played == ["reference"]


async def _nothing(scene: Scene) -> None:
    """A check that finds nothing wrong."""


def never_awaited(seen: str) -> Any:
    """A check of a scenario that was written as a coroutine function by mistake."""
    return _nothing(Any)  # type: ignore[arg-type]


class DroppingStage(LoopbackRunner):
    """A stage that returns before the check has begun."""

    def run(self, scenario: Any, *, seed: int | None = None) -> Any:
        """Return at once."""
        return None


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("stage", "returned before the check had come to its end"),
        ("scene", "the scene fell over"),
        ("scenario", "the scenario fell over"),
        ("control", "the control fell over"),
        ("exempt", "the rule fell over"),
        ("function", "the check fell over"),
        ("readiness", "the constructor fell over"),
        ("attribution", "the attribution fell over"),
        ("awaited", "never awaited"),
    ],
)
def test_a_check_that_ends_without_a_verdict_is_an_error(
    monkeypatch: pytest.MonkeyPatch, step: str, says: str
) -> None:
    """Whichever step of the way breaks: nothing passes that was not judged."""

    def broken(*args: Any, **options: Any) -> Any:
        raise RuntimeError(says)

    async def broken_scenario(scene: Scene) -> Any:
        raise RuntimeError(says)

    def fails(seen: str) -> None:
        expect(False, "something else", seen)

    stage: StageRunner = DroppingStage() if step == "stage" else LoopbackRunner()
    check = Check("FAULT-01", content, scenario=Witness())
    if step == "scene":
        monkeypatch.setattr(execution, "open_scene", broken)
    elif step == "scenario":
        check = replace(check, scenario=broken_scenario)
    elif step == "control":
        check = replace(check, control=broken_scenario)
    elif step == "exempt":
        check = replace(check, exempt=broken)
    elif step == "function":
        check = replace(check, function=broken)
    elif step == "readiness":
        monkeypatch.setattr(runner_module, "why_unready", broken)
    elif step == "attribution":
        monkeypatch.setattr(runner_module, "attribute", broken)
        check = replace(check, function=fails)
    elif step == "awaited":
        check = replace(check, function=never_awaited)
    provider = Provider(reference_adapter, label="acme", origin="a test", source="file")
    judged = Subject("acme", (check,), provider=provider)
    result = CheckRunner(stage).run(judged, check)
    assert result.outcome is Outcome.ERROR
    assert says in result.reason


def test_a_result_says_what_blocks_it_or_is_not_blocked() -> None:
    """A blocked result without a blocker, and a blocker without one, are refused."""
    check_id, by = CheckId("acme", "SWAP-01"), CheckId("acme", "BIND-01")
    for outcome, blocker in ((Outcome.BLOCKED, None), (Outcome.PASSED, by)):
        with pytest.raises(ValueError, match=r"acme::SWAP-01: .*, blocked by"):
            CheckResult(check_id, Level.MUST, outcome, blocked_by=blocker)


@pytest.mark.needs("livekit-agents>=1.6.1")
@pytest.mark.parametrize(("exchange", "patched"), [("plain", False), ("switcher", True)])
def test_a_provider_is_judged_on_the_host_as_it_is(exchange: str, patched: bool) -> None:
    """What `conformance.endpoint` changes of the host is there for the switcher alone."""
    proxy: Any = vars(io)["_AudioSinkProxy"]
    seen = []

    async def look(scene: Scene) -> None:
        seen.append(hasattr(proxy.capture_frame, "__wrapped__"))

    before = proxy.capture_frame
    runner = CheckRunner(LoopbackRunner(), exchange=exchange)
    judge(Check("BIND-02", look), runner)
    assert seen == [patched]
    assert hasattr(proxy.capture_frame, "__wrapped__") == hasattr(before, "__wrapped__")


def test_providers_of_one_name_do_not_answer_for_each_other() -> None:
    """What a provider contacted is never held against another that is called the same."""
    load()
    runner = check_runner(attribution=False)
    outcomes = []
    for adapter in (MUTANTS["undeclared-host"].adapter(), SoundAdapter()):
        provider = Provider(adapter, label="one name", origin="a test")
        subject = subject_of(provider)
        check = next(c for c in subject.checks if c.requirement == "SEC-02")
        outcomes.append(runner.run(subject, check).outcome)
    assert outcomes == [Outcome.FAILED, Outcome.PASSED]
