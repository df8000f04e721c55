"""Running one check of one subject on a stage, and putting what happened into words."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from conformance.outcomes import (
    Blocked,
    CheckId,
    CheckResult,
    Finding,
    KitError,
    Level,
    NotApplicable,
    Outcome,
    Violation,
)
from conformance.plugin.manager import Provider
from conformance.requirements import load_catalogue
from conformance.stage import Stage, StageRunner
from conformance.timeline import Event

from . import load
from .canary import secrets_of
from .host_chain import ChainKit, ChainScene, chain_kits
from .host_defects import defect_behind
from .imports import import_effects
from .leftovers import watch_connections
from .reference import reference_provider
from .registry import Check, registered
from .scene import open_scene

READINESS = "BIND-01"
"""The check that reports an adapter which cannot even construct its avatar."""

_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


@dataclass(frozen=True)
class Subject:
    """What is judged: the host, the kit's own endpoint, or a provider; and the checks for it."""

    name: str
    checks: tuple[Check, ...]
    provider: Provider | None = None
    kit: ChainKit | None = None
    peers: Mapping[str, Provider] = field(default_factory=dict)


def subjects(providers: Sequence[Provider]) -> tuple[Subject, ...]:
    """The host, the kit's own endpoint and ``providers``, each with its checks."""
    load()
    checks = registered()
    of_host = tuple(c for c in checks if c.requirement.startswith("HOST-"))
    of_provider = tuple(c for c in checks if not c.requirement.startswith("HOST-"))
    chains = tuple(Subject(kit.label, of_host, kit=kit) for kit in chain_kits())
    peers = {provider.name: provider for provider in providers}
    return (*chains, *(_provider_subject(p, of_provider, peers) for p in providers))


def _provider_subject(
    provider: Provider, checks: Sequence[Check], peers: Mapping[str, Provider]
) -> Subject:
    own = tuple(
        replace(check, variants=tuple(f"to-{name}" for name in peers)) if check.for_peers else check
        for check in checks
    )
    return Subject(provider.name, own, provider=provider, peers=peers)


def host_versions() -> Mapping[str, str]:
    """The versions that a verdict depends on, by distribution; and the Python that ran it."""
    names = ("livekit-agents", "livekit", "livekit-api", "aiohttp")
    versions = {name: importlib.metadata.version(name) for name in names}
    return {**versions, "python": platform.python_version()}


def canaries(providers: Sequence[Provider]) -> tuple[str, ...]:
    """Every secret that a run hands out, for finding leaks."""
    return tuple(
        value for provider in providers for value in secrets_of(provider.manifest).values()
    )


def run_check(
    subject: Subject,
    check: Check,
    variant: str | None = None,
    *,
    seed: int | None = None,
    stage: StageRunner | None = None,
    blame_host: bool = True,
) -> CheckResult:
    """Run one check of ``subject`` and say what became of it; raises nothing of the provider's.

    ``stage`` defaults to the loopback stage. ``seed`` shuffles what is ready at the same moment.
    ``blame_host`` False keeps a failure that the reference provider shares what it is.
    """
    runner = stage or _loopback()
    provider = subject.provider
    result = CheckResult(
        CheckId(subject.name, check.requirement, variant), _level(check), Outcome.PASSED
    )
    if provider is None:
        return _play(runner, seed, result, _chain_scenario(subject, check, variant))
    rule = check.exempt(provider.manifest) if check.exempt is not None else None
    if rule is not None:
        return replace(result, outcome=Outcome.NOT_APPLICABLE, reason=rule)
    broken = _unready(provider, runner)
    if broken is not None:
        if check.requirement == READINESS:
            return replace(result, outcome=Outcome.ERROR, reason=broken)
        home = f"{subject.name}::{READINESS}"
        return replace(result, outcome=Outcome.BLOCKED, reason=home)
    scenario = _provider_scenario(provider, check, variant, subject.peers)
    result = _play(runner, seed, result, scenario)
    packaging = check.requirement.startswith("META-")
    excusable = blame_host and provider.name != "reference" and not packaging
    if result.outcome is Outcome.FAILED and excusable:
        reference = _of_reference(check, variant, runner, seed)
        if reference.outcome is Outcome.FAILED and _same_assertion(result, reference):
            return _judged_with_host(result, reference, provider)
    return result


def _chain_scenario(subject: Subject, check: Check, variant: str | None) -> Callable[[Stage], Any]:
    async def scenario(stage: Stage) -> None:
        assert subject.kit is not None
        scene = ChainScene(subject.kit, stage.clock, stage.timeline)
        await _call(check, scene, variant)

    return scenario


def _provider_scenario(
    provider: Provider, check: Check, variant: str | None, peers: Mapping[str, Provider]
) -> Callable[[Stage], Any]:
    async def scenario(stage: Stage) -> str:
        with watch_connections():
            async with open_scene(stage, provider) as scene:
                scene.peers = peers
                await _call(check, scene, variant)
                return "; ".join(scene.notes)

    return scenario


async def _call(check: Check, scene: Any, variant: str | None) -> None:
    arguments = (scene,) if variant is None else (scene, variant)
    await check.function(*arguments)


def _play(
    runner: StageRunner, seed: int | None, result: CheckResult, scenario: Callable[[Stage], Any]
) -> CheckResult:
    """Run ``scenario`` on a fresh stage and fold what it raised into ``result``."""
    events: list[Event] = []
    simulated = 0.0
    reason = ""

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
    except KitError as error:
        outcome, reason = Outcome.ERROR, str(error)
        if error.__cause__ is not None:
            reason += f": {_last_line(error.__cause__)}"
    except Exception as error:  # anything else is the kit's own fault, and reported as that
        outcome, reason = Outcome.ERROR, _last_line(error)
    return replace(
        result,
        outcome=outcome,
        finding=_redacted(finding),
        reason=_without_secrets(reason),
        events=tuple(events),
        simulated_seconds=round(simulated, 6),
    )


def _judged_with_host(
    result: CheckResult, reference: CheckResult, provider: Provider
) -> CheckResult:
    """What a failure is worth that the reference provider shows as well."""
    defect = defect_behind(result.id)
    if defect is None:
        why = reference.finding.observed if reference.finding is not None else ""
        return replace(
            result,
            outcome=Outcome.ERROR,
            reason=f"the reference provider fails {reference.id} too, and no known defect of the "
            f"host explains it: {why}",
        )
    if provider.manifest.transport not in defect.transports:
        return result
    return replace(
        result,
        outcome=Outcome.BLOCKED,
        reason=f"host defect {defect.id} of livekit-agents: {defect.text}",
        reference=f"host::{defect.id}",
    )


def _same_assertion(result: CheckResult, reference: CheckResult) -> bool:
    """Whether both failed at the same expectation of a check, figures and names aside."""
    words = [
        re.sub(r"[\d.]+|'[^']*'", "#", r.finding.expected) if r.finding is not None else ""
        for r in (result, reference)
    ]
    return words[0] == words[1]


_verdicts: dict[tuple[str, str | None, str, int | None], CheckResult] = {}


def _of_reference(
    check: Check, variant: str | None, runner: StageRunner, seed: int | None
) -> CheckResult:
    """The reference provider's verdict, found once for each check in a process."""
    key = (check.where, variant, runner.name, seed)
    if key not in _verdicts:
        provider = reference_provider()
        blank = CheckResult(
            CheckId(provider.name, check.requirement, variant), _level(check), Outcome.PASSED
        )
        peers = dict.fromkeys((provider.name, _peer_of(variant)), provider)
        scenario = _provider_scenario(provider, check, variant, peers)
        _verdicts[key] = _play(runner, seed, blank, scenario)
    return _verdicts[key]


def _peer_of(variant: str | None) -> str:
    """The provider that a pair check's variant names; the reference plays both parts for it."""
    return variant.removeprefix("to-") if variant else ""


_readiness: dict[int, tuple[Provider, str | None]] = {}


def _unready(provider: Provider, runner: StageRunner) -> str | None:
    """Why ``provider`` cannot be judged at all, found once in a process; None if it can."""
    known = _readiness.get(id(provider))
    if known is not None:
        return known[1]

    with suppress(Exception):  # an import error is the adapter's, and comes again below
        import_effects(provider.manifest.avatar_session.partition(":")[0])

    async def construct(stage: Stage) -> None:
        async with open_scene(stage, provider) as scene:
            try:
                await scene.create()
            except Exception as error:  # an adapter may raise anything: it becomes one line
                raise KitError(str(provider.fault("create_avatar", error))) from error

    problem: str | None = None
    try:
        runner.run(construct)
    except Exception as error:  # so may what surrounds it
        problem = _without_secrets(str(error) if isinstance(error, KitError) else _last_line(error))
    _readiness[id(provider)] = (provider, problem)
    return problem


@cache
def _loopback() -> StageRunner:
    from conformance.loopback.stage import LoopbackRunner

    return LoopbackRunner()


def _level(check: Check) -> Level:
    return load_catalogue()[check.requirement].level


def _last_line(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def _redacted(finding: Finding | None) -> Finding | None:
    if finding is None:
        return None
    return replace(
        finding,
        expected=_without_secrets(finding.expected),
        observed=_without_secrets(finding.observed),
    )


def _without_secrets(text: str) -> str:
    text = _TOKEN.sub("<room token>", text)
    return re.sub(r"canary-[\w-]+", "<secret>", text)


__all__ = ["Subject", "canaries", "host_versions", "run_check", "subjects"]
