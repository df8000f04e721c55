"""Playing one check on a stage, and putting what it raised into words."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from conformance.outcomes import (
    Blocked,
    CheckResult,
    Finding,
    KitError,
    NotApplicable,
    Outcome,
    Violation,
)
from conformance.plugin.manager import Provider
from conformance.stage import STAGE_LOST, Stage, StageLost, StageRunner
from conformance.timeline import Event

from .cause import traced
from .leftovers import watch_connections
from .registry import Check
from .scene import open_scene

_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


def provider_scenario(
    provider: Provider, check: Check, variant: str | None, peers: Mapping[str, Provider]
) -> Callable[[Stage], Any]:
    """What is played on a stage for one check of ``provider``; returns what the check notes."""

    async def scenario(stage: Stage) -> str:
        with watch_connections():
            async with open_scene(stage, provider) as scene:
                scene.peers = peers
                try:
                    await call_check(check, scene, variant)
                except Violation as violation:
                    violation.finding = traced(violation.finding, check, scene)
                    raise
                return "; ".join(scene.notes)

    return scenario


async def call_check(check: Check, scene: Any, variant: str | None) -> None:
    """Call the check's function, with the variant where it has one."""
    arguments = (scene,) if variant is None else (scene, variant)
    await check.function(*arguments)


def play(
    runner: StageRunner, seed: int | None, result: CheckResult, scenario: Callable[[Stage], Any]
) -> CheckResult:
    """Run ``scenario`` on a fresh stage and fold what it raised into ``result``."""
    events: list[Event] = []
    simulated = 0.0
    reason = reference = ""

    async def observed(stage: Stage) -> None:
        nonlocal simulated, reason
        try:
            reason = await scenario(stage) or ""
        finally:
            events.extend(stage.timeline.events)
            simulated = stage.clock.now()

    outcome = Outcome.PASSED
    finding: Finding | None = None
    try:
        runner.run(observed, seed=seed)
    except Violation as violation:
        outcome, finding = Outcome.FAILED, violation.finding
    except runner.hangs as hang:
        outcome = Outcome.FAILED
        finding = Finding("the run goes on", str(hang), "something waits for what never comes")
    except NotApplicable as exempt:
        outcome, reason = Outcome.NOT_APPLICABLE, exempt.rule
    except Blocked as blocked:
        outcome, reason = Outcome.BLOCKED, str(blocked)
    except StageLost as error:
        outcome, reason, reference = Outcome.ERROR, str(error), STAGE_LOST
    except KitError as error:
        outcome, reason = Outcome.ERROR, str(error)
        if error.__cause__ is not None:
            reason += f": {last_line(error.__cause__)}"
    except Exception as error:  # anything else is the kit's own fault, and reported as that
        outcome, reason = Outcome.ERROR, last_line(error)
    return replace(
        result,
        outcome=outcome,
        finding=_redacted(finding),
        reason=without_secrets(reason),
        reference=reference,
        events=tuple(events),
        simulated_seconds=round(simulated, 6),
    )


def last_line(error: BaseException) -> str:
    """One line about an exception: its class, its message, where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def _redacted(finding: Finding | None) -> Finding | None:
    if finding is None:
        return None
    return replace(
        finding,
        expected=without_secrets(finding.expected),
        observed=without_secrets(finding.observed),
    )


def without_secrets(text: str) -> str:
    """``text`` with every canary and room token taken out."""
    text = _TOKEN.sub("<room token>", text)
    return re.sub(r"canary-[\w-]+", "<secret>", text)
