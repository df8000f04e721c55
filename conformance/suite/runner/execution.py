"""Playing a scenario on a stage, and putting what it raised into words."""

from __future__ import annotations

import re
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.errors import ConformanceError
from conformance.plugin.provider import Provider
from conformance.results.outcomes import (
    Blocked,
    CheckResult,
    Finding,
    NotApplicable,
    Outcome,
    Violation,
)
from conformance.results.timeline import Event
from conformance.stage.interface import STAGE_LOST, Contact, Stage, StageLost, StageRunner
from conformance.stage.network.thread_owners import kinds_of_threads, threads_of
from conformance.suite.registry import Check
from conformance.suite.scene.resources import watch_connections
from conformance.suite.scene.scene import Scene, open_scene

from .hints import SceneDiagnostics, with_root_cause

_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]*")


@dataclass(frozen=True)
class Verdict:
    """What something came to: ``value`` is what it returned, if it raised nothing."""

    outcome: Outcome = Outcome.PASSED
    finding: Finding | None = None
    reason: str = ""
    reference: str = ""
    value: Any = None


@dataclass(frozen=True)
class ScenarioRun:
    """What became of a scenario that was played on a fresh stage."""

    conclusion: Verdict
    events: tuple[Event, ...] = ()
    simulated_seconds: float = 0.0
    notes: str = ""
    background: SceneDiagnostics = field(default_factory=SceneDiagnostics)
    contacts: tuple[Contact, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether it came to its end."""
        return self.conclusion.outcome is Outcome.PASSED


def play(
    runner: StageRunner, seed: int | None, scenario: Callable[[Stage], Awaitable[Any]]
) -> ScenarioRun:
    """Run ``scenario`` on a fresh stage."""
    events: list[Event] = []
    contacts: list[Contact] = []
    simulated = 0.0

    async def observed(stage: Stage) -> Any:
        nonlocal simulated
        try:
            return await scenario(stage)
        finally:
            events.extend(stage.timeline.events)
            contacts.extend(stage.undeclared_contacts)
            simulated = stage.clock.now()

    conclusion = run_guarded(lambda: runner.run(observed, seed=seed), hangs=runner.hangs)
    return ScenarioRun(conclusion, tuple(events), round(simulated, 6), contacts=tuple(contacts))


def run_in_scene(
    runner: StageRunner,
    seed: int | None,
    provider: Provider,
    act: Callable[[Scene], Awaitable[Any]],
    peers: Mapping[str, Provider] | None = None,
) -> ScenarioRun:
    """Run ``act`` on a scene of ``provider``; ``peers`` are the providers of the run.

    A thread that outlives the scene may be one that the plugin starts once in a process. So that
    no verdict depends on which check comes first, what leaves a new kind of thread is played again.
    """
    known = _known_threads.setdefault(provider.name, set())
    played = _play_scene_once(runner, seed, provider, act, peers)
    kinds = kinds_of_threads(provider.name)
    if not kinds <= known:
        known |= kinds
        played = _play_scene_once(runner, seed, provider, act, peers)
    return played


_known_threads: dict[str, set[str]] = {}
_contacts: dict[str, dict[str, Contact]] = {}


def _play_scene_once(
    runner: StageRunner,
    seed: int | None,
    provider: Provider,
    act: Callable[[Scene], Awaitable[Any]],
    peers: Mapping[str, Provider] | None,
) -> ScenarioRun:
    notes = ""
    background = SceneDiagnostics()

    async def scenario(stage: Stage) -> Any:
        nonlocal notes, background
        with watch_connections():
            async with open_scene(stage, provider) as scene:
                scene.peers = peers if peers is not None else scene.peers
                scene.earlier_contacts = tuple(_contacts.get(provider.name, {}).values())
                try:
                    return await act(scene)
                finally:
                    notes = "; ".join(scene.notes)
                    background = SceneDiagnostics.of(scene)

    with threads_of(provider.name):
        played = play(runner, seed, scenario)
    _remember_contacts(provider, played)
    return replace(played, notes=notes, background=background)


def _remember_contacts(provider: Provider, played: ScenarioRun) -> None:
    """Keep what the plugin contacted, unless a vendor sent it there; it may do so only once."""
    if any(e.kind == "fault" and "redirect" in str(e.detail["what"]) for e in played.events):
        return
    for contact in played.contacts:
        if contact.concerns(provider.name, provider.module):
            _contacts.setdefault(provider.name, {}).setdefault(contact.address, contact)


def run_guarded(act: Callable[[], Any], *, hangs: tuple[type[Exception], ...] = ()) -> Verdict:
    """Call ``act`` and put what it raises into words."""
    try:
        return Verdict(value=act())
    except Violation as violation:
        return Verdict(Outcome.FAILED, violation.finding)
    except hangs as hang:
        finding = Finding("the run goes on", str(hang), "something waits for what never comes")
        return Verdict(Outcome.FAILED, finding)
    except NotApplicable as exempt:
        return Verdict(Outcome.NOT_APPLICABLE, reason=exempt.rule)
    except Blocked as blocked:
        return Verdict(Outcome.BLOCKED, reason=str(blocked))
    except StageLost as error:
        return Verdict(Outcome.ERROR, reason=str(error), reference=STAGE_LOST)
    except ConformanceError as error:
        reason = str(error)
        if error.__cause__ is not None:
            reason += f": {last_line(error.__cause__)}"
        return Verdict(Outcome.ERROR, reason=reason)
    except Exception as error:  # anything else is the kit's own fault, and reported as that
        return Verdict(Outcome.ERROR, reason=last_line(error))


def record(result: CheckResult, check: Check, played: ScenarioRun) -> CheckResult:
    """``result`` with what ``played`` came to, and without secrets."""
    conclusion = played.conclusion
    finding = conclusion.finding
    if finding is not None:
        finding = with_root_cause(finding, check, played.background)
        finding = replace(
            finding,
            expected=without_secrets(finding.expected),
            observed=without_secrets(finding.observed),
        )
    return replace(
        result,
        outcome=conclusion.outcome,
        finding=finding,
        reason=without_secrets(conclusion.reason or (played.notes if played.whole else "")),
        reference=conclusion.reference,
        events=played.events,
        simulated_seconds=played.simulated_seconds,
    )


def last_line(error: BaseException) -> str:
    """One line about an exception: its class, its message, where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def without_secrets(text: str) -> str:
    """``text`` with every canary and room token taken out."""
    text = _TOKEN.sub("<room token>", text)
    return re.sub(r"canary-[\w-]+", "<secret>", text)
