"""Running one check of one subject: what is judged, by which checks, with which verdict."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from conformance.errors import ConformanceError, KitError
from conformance.live.rules import not_live
from conformance.plugin.provider import Provider
from conformance.requirements import load_catalogue
from conformance.results.outcomes import CheckId, CheckResult, Finding, Level, Outcome
from conformance.stage.interface import STAGE_LOST, Stage, StageLost, StageRunner
from conformance.stage.network.thread_owners import threads_of
from conformance.suite.checks import load
from conformance.suite.registry import Check, registered
from conformance.suite.scene.canary import secrets_of
from conformance.suite.scene.error_site import where_to_look
from conformance.suite.scene.host_chain import ChainScene, SwapMechanism, swap_mechanisms
from conformance.suite.scene.import_effects import import_effects
from conformance.suite.scene.scene import open_scene

from .attribution import blocked_by_failed_start, judged
from .evidence import judge
from .execution import last_line, play, record, without_secrets

READINESS = "BIND-01"
"""The check that reports an adapter which cannot even construct its avatar."""


@dataclass(frozen=True)
class Subject:
    """What is judged: the host, the kit's own endpoint, or a provider; and the checks for it."""

    name: str
    checks: tuple[Check, ...]
    provider: Provider | None = None
    kit: SwapMechanism | None = None
    peers: Mapping[str, Provider] = field(default_factory=dict)


def subjects(providers: Sequence[Provider]) -> tuple[Subject, ...]:
    """The host, the kit's own endpoint and ``providers``, each with its checks."""
    load()
    checks = registered()
    of_host = tuple(c for c in checks if c.requirement.startswith("HOST-"))
    of_provider = tuple(c for c in checks if not c.requirement.startswith("HOST-"))
    chains = tuple(Subject(kit.label, of_host, kit=kit) for kit in swap_mechanisms())
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
    blame: bool = True,
) -> CheckResult:
    """Run one check of ``subject`` and say what became of it; raises nothing of the provider's.

    ``stage`` defaults to the loopback stage. ``seed`` shuffles what is ready at the same moment.
    In real time a check that needs virtual time is not applicable, by `conformance.live.rules`.
    ``blame`` False keeps a failure a failure, whoever else shares it.
    """
    provider = subject.provider
    other = subject.peers.get(_peer_of(variant)) if check.for_peers else None
    runner = _runner_for((provider, other), stage or _loopback())
    result = CheckResult(
        CheckId(subject.name, check.requirement, variant), _level(check), Outcome.PASSED
    )
    rule = None if runner.virtual else not_live(check.requirement, variant)
    if rule is not None:
        return replace(result, outcome=Outcome.NOT_APPLICABLE, reason=rule)
    if provider is None:
        return record(result, check, play(runner, seed, _chain_scenario(subject, check, variant)))
    rule = check.exempt(provider.manifest) if check.exempt is not None else None
    if rule is not None:
        return replace(result, outcome=Outcome.NOT_APPLICABLE, reason=rule)
    try:
        broken = _unready(provider, runner)
        if broken is None and other is not None and _unready(other, runner) is not None:
            home = f"{other.name}::{READINESS}"
            return replace(result, outcome=Outcome.BLOCKED, reason=home)
    except StageLost as lost:
        return replace(result, outcome=Outcome.ERROR, reason=str(lost), reference=STAGE_LOST)
    if broken is not None and (broken.refusal is None or check.needs_avatar):
        if check.requirement != READINESS:
            home = f"{subject.name}::{READINESS}"
            return replace(result, outcome=Outcome.BLOCKED, reason=home)
        if broken.refusal is None:
            return replace(result, outcome=Outcome.ERROR, reason=broken.problem)
        return replace(result, outcome=Outcome.FAILED, finding=broken.refusal)
    result = judge(result, check, provider, runner, seed=seed, peers=subject.peers)
    if not blame or provider.name == "reference":
        return result
    if result.outcome is Outcome.FAILED:
        starts = next(c for c in registered() if c.requirement == READINESS)
        result = blocked_by_failed_start(result, _verdict_on(provider, starts, None, runner, seed))
    return judged(
        result, check, provider, other, lambda who: _verdict_on(who, check, variant, runner, seed)
    )


def _runner_for(providers: Iterable[Provider | None], runner: StageRunner) -> StageRunner:
    """``runner``, in real time where one of ``providers`` declares that it needs it."""
    if any(p is not None and p.manifest.capabilities.real_time for p in providers):
        return runner.in_real_time()
    return runner


def _chain_scenario(subject: Subject, check: Check, variant: str | None) -> Callable[[Stage], Any]:
    async def scenario(stage: Stage) -> None:
        assert subject.kit is not None
        scene = ChainScene(subject.kit, stage.clock, stage.timeline)
        function: Callable[..., Any] = check.function
        await function(scene, *(() if variant is None else (variant,)))

    return scenario


_verdicts: dict[
    tuple[int, str, str | None, StageRunner, int | None], tuple[Provider, CheckResult]
] = {}


def _verdict_on(
    provider: Provider, check: Check, variant: str | None, runner: StageRunner, seed: int | None
) -> CheckResult:
    """The raw verdict of a check that is not under test itself, found once in a process."""
    peers = dict.fromkeys((provider.name, _peer_of(variant)), provider)
    if check.for_peers:
        variant = f"to-{provider.name}"
    key = (id(provider), check.where, variant, runner, seed)
    if key not in _verdicts:
        blank = CheckResult(
            CheckId(provider.name, check.requirement, variant), _level(check), Outcome.PASSED
        )
        verdict = judge(blank, check, provider, runner, seed=seed, peers=peers)
        _verdicts[key] = provider, verdict
    return _verdicts[key][1]


def _peer_of(variant: str | None) -> str:
    """The provider that a pair check's variant names."""
    return variant.removeprefix("to-") if variant else ""


@dataclass(frozen=True)
class _Unready:
    """Why a provider constructs no avatar: ``refusal`` where the plugin itself says so."""

    problem: str
    refusal: Finding | None = None


_readiness: dict[tuple[str, int], tuple[Provider, _Unready | None]] = {}


def _unready(provider: Provider, runner: StageRunner) -> _Unready | None:
    """Why ``provider`` cannot be judged in full, found once in a process; None if it can.

    Raises `StageLost` when that cannot be found because the stage is not there.
    """
    known = _readiness.get((runner.name, id(provider)))
    if known is not None:
        return known[1]

    _look_at_import(provider)
    refusal: Finding | None = None

    async def construct(stage: Stage) -> None:
        nonlocal refusal
        async with open_scene(stage, provider) as scene:
            try:
                documented = provider.documented_exception()
                await scene.create()
            except ConformanceError:
                raise
            except Exception as error:  # an adapter may raise anything: it becomes one line
                if isinstance(error, documented) and not provider.raised_by_adapter(error):
                    refusal = _refusal(error)
                raise KitError(str(provider.fault("create_avatar", error))) from error

    unready: _Unready | None = None
    try:
        with threads_of(provider.name):
            runner.run(construct)
    except StageLost:
        raise
    except Exception as error:  # so may what surrounds it
        problem = str(error) if isinstance(error, ConformanceError) else last_line(error)
        unready = _Unready(without_secrets(problem), refusal)
    if unready is None or runner.virtual:  # in real time it may be well the next time
        _readiness[runner.name, id(provider)] = (provider, unready)
    return unready


def _refusal(error: Exception) -> Finding:
    """What the plugin's own documented exception says of a constructor that has all it needs."""
    return Finding(
        "the avatar session is constructed, every setting being there",
        without_secrets(f"{type(error).__name__}: {error}"),
        hint=where_to_look(error),
    )


def _look_at_import(provider: Provider) -> None:
    """Note what importing the plugin changes, before anything else imports it."""
    with suppress(Exception), threads_of(provider.name):  # an import error comes again
        import_effects(provider.module)


@cache
def _loopback() -> StageRunner:
    from conformance.loopback.stage import LoopbackRunner

    return LoopbackRunner()


def _level(check: Check) -> Level:
    return load_catalogue()[check.requirement].level


__all__ = ["Subject", "canaries", "host_versions", "run_check", "subjects"]
