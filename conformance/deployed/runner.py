"""Judges deployed avatars: plays a scenario in real time, and again where a check of it failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from conformance.live.stage import LiveStage
from conformance.requirements import load_deployed
from conformance.results.outcomes import CheckId, CheckResult, Outcome
from conformance.stage.interface import Stage, StageRunner
from conformance.suite.registry import Check
from conformance.suite.runner.execution import ScenarioRun, run_scenario
from conformance.suite.runner.subjects import Subject
from conformance.suite.runner.verdict import run_guarded

from .scene import Deployment, open_scene

LIMIT = 480.0
"""How many real seconds a scenario may take: one of them is silent for 300."""
ATTEMPTS = 3
"""How often a check is played until it passes: what fails each time has failed."""


class DeployedRunner:
    """Runs checks of deployed avatars on ``stage``, each deployment by the name of its subject.

    Several checks are judged by one playing of their scenario. In real time a busy machine spoils
    a verdict, so a check that fails is judged again by another playing, up to ``attempts`` times,
    and its result says so.
    """

    def __init__(
        self,
        stage: StageRunner,
        deployments: Mapping[str, Deployment],
        *,
        attempts: int = ATTEMPTS,
    ) -> None:
        self._stage = stage
        self._deployments = deployments
        self._attempts = attempts
        self._runs: dict[tuple[str, Any, str | None, int], ScenarioRun] = {}

    def run(self, subject: Subject, check: Check, variant: str | None = None) -> CheckResult:
        """Run one check of ``subject``; raises nothing of the worker's."""
        result = self._once(subject, check, variant, 1)
        for number in range(2, self._attempts + 1):
            if result.outcome is not Outcome.FAILED:
                break
            result = self._once(subject, check, variant, number)
        return result

    def _once(
        self, subject: Subject, check: Check, variant: str | None, number: int
    ) -> CheckResult:
        run = self._played(subject.name, check, variant, number)
        verdict = run.verdict
        if run.whole:
            verdict = run_guarded(lambda: cast(Any, check.function(verdict.value)))
        verdict = verdict.without_secrets()
        repeated = f"judged by playing {number} of at most {self._attempts}" if number > 1 else ""
        return CheckResult(
            CheckId(subject.name, check.requirement, variant),
            load_deployed()[check.requirement].level,
            verdict.outcome,
            verdict.finding,
            verdict.reason or repeated,
            events=run.events,
            simulated_seconds=run.simulated_seconds,
            error=verdict.error,
        )

    def _played(self, name: str, check: Check, variant: str | None, number: int) -> ScenarioRun:
        scenario = check.scenario
        assert scenario is not None, f"{check.where} has no scenario"
        key = (name, scenario, variant, number)
        other = self._deployments[(variant or "").removeprefix("to-")] if check.for_peers else None
        more = (variant,) if check.variants else ()
        if key not in self._runs:

            async def play(stage: Stage) -> Any:
                deployment = self._deployments[name]
                async with open_scene(cast(LiveStage, stage), deployment, other) as scene:
                    return await scenario(scene, *more)

            run = run_scenario(self._stage, None, play)
            self._runs[key] = replace(run, verdict=replace(run.verdict, error=None))
        return self._runs[key]


__all__ = ["DeployedRunner"]
