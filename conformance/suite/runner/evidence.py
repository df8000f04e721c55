"""Judging a provider by one check: by a scene of the check's own, or by evidence that it shares.

What several checks share is played once for each provider, whole, on a stage of its own, before
any of them is judged. So neither their order nor which of them are selected changes a verdict or a
timeline.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from conformance.plugin.provider import Provider
from conformance.results.outcomes import CheckResult
from conformance.stage.interface import StageRunner
from conformance.suite.registry import Check
from conformance.suite.scene.scene import Scene

from .execution import ScenarioRun, record, run_guarded, run_in_scene
from .reference import reference_provider

KEPT = 256
"""How many playings are kept; a provider has some 20."""

_Key = tuple[int, Callable[..., Any], "str | None", StageRunner, "int | None"]
_played: OrderedDict[_Key, tuple[Provider, ScenarioRun]] = OrderedDict()


def judge(
    result: CheckResult,
    check: Check,
    provider: Provider,
    runner: StageRunner,
    *,
    seed: int | None,
    peers: Mapping[str, Provider],
) -> CheckResult:
    """``result`` with the raw verdict of ``check`` on ``provider``; raises nothing of its own."""
    variants = () if result.id.variant is None else (result.id.variant,)
    options: dict[str, Any] = {}
    if check.control is not None:
        beside = _shared(check.control, reference_provider(), (), runner, seed)
        if not beside.whole:
            return record(result, check, beside)
        options["allowed"] = beside.conclusion.value
    function: Callable[..., Any] = check.function
    if check.scenario is None:

        async def act(scene: Scene) -> None:
            await function(scene, *variants, **options)

        return record(result, check, run_in_scene(runner, seed, provider, act, peers))
    played = _shared(check.scenario, provider, variants, runner, seed)
    if played.whole:
        found = played.conclusion.value
        conclusion = run_guarded(lambda: function(found, *variants, **options))
        played = replace(played, conclusion=conclusion, notes=conclusion.value or "")
    return record(result, check, played)


def _shared(
    scenario: Callable[..., Any],
    provider: Provider,
    variants: tuple[str, ...],
    runner: StageRunner,
    seed: int | None,
) -> ScenarioRun:
    """What became of ``scenario``, played once in virtual time, which knows no second outcome."""
    key = (id(provider), scenario, variants[0] if variants else None, runner, seed)
    if key in _played:
        _played.move_to_end(key)
        return _played[key][1]
    played = run_in_scene(runner, seed, provider, lambda scene: scenario(scene, *variants))
    if runner.virtual:
        _played[key] = provider, played
        if len(_played) > KEPT:
            _played.popitem(last=False)
    return played


def forget() -> None:
    """Let whatever was played be played anew."""
    _played.clear()


__all__ = ["forget", "judge"]
