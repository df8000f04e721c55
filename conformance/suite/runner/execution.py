"""Plays scenarios on a stage: each on a fresh one, in a scene of its provider."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

from conformance.errors import KitError
from conformance.plugin.provider import Provider
from conformance.plugin.watchdog import watchdog
from conformance.results.outcomes import Outcome
from conformance.results.timeline import Event
from conformance.stage.environ import of_plugin, set_aside
from conformance.stage.interface import Contact, Stage, StageRunner
from conformance.stage.network.thread_owners import kinds_of_threads, threads_of
from conformance.suite.scene.exchange import PLAIN
from conformance.suite.scene.resources import watch_connections
from conformance.suite.scene.scene import Scene, open_scene
from conformance.suite.scene.tried import tried

from .hints import SceneDiagnostics
from .verdict import Verdict, run_guarded


@dataclass(frozen=True)
class ScenarioRun:
    """The run of one scenario on a fresh stage."""

    verdict: Verdict
    events: tuple[Event, ...] = ()
    simulated_seconds: float = 0.0
    notes: str = ""
    diagnostics: SceneDiagnostics = field(default_factory=SceneDiagnostics)
    contacts: tuple[Contact, ...] = ()
    limits: tuple[str, ...] = ()
    mended_by: tuple[str, ...] = ()
    """The defects that the host was mended of, by id."""
    tried: Mapping[str, int] = field(default_factory=dict)
    """What was tried, by the names of `scene.tried.TRIED`."""

    @property
    def whole(self) -> bool:
        """Whether it came to its end."""
        return self.verdict.outcome is Outcome.PASSED


def run_scenario(
    stage: StageRunner, seed: int | None, scenario: Callable[[Stage], Awaitable[Any]]
) -> ScenarioRun:
    """Run ``scenario`` on a fresh stage; an error where the stage ends it before its end."""
    events: list[Event] = []
    contacts: list[Contact] = []
    limits: list[str] = []
    simulated = 0.0
    finished = False

    async def observed(opened: Stage) -> Any:
        nonlocal simulated, finished
        try:
            value = await scenario(opened)
            finished = True
            return value
        finally:
            events.extend(opened.timeline.events)
            contacts.extend(opened.undeclared_contacts)
            limits.extend(opened.limits)
            simulated = opened.clock.now()

    def play() -> Any:
        with watchdog(stage.patience):
            value = stage.run(observed, seed=seed)
        if not finished:
            raise KitError(f"the {stage.name} stage returned before the check had come to its end")
        return value

    verdict = run_guarded(play, hangs=stage.hangs)
    return ScenarioRun(
        verdict,
        tuple(events),
        round(simulated, 6),
        contacts=tuple(contacts),
        limits=tuple(dict.fromkeys(limits)),
    )


class SceneRunner:
    """Plays scenes of providers, and remembers of each what outlives a scene."""

    def __init__(self, seed: int | None, exchange: str = PLAIN) -> None:
        self._seed = seed
        self._exchange = exchange
        self._known_threads: WeakKeyDictionary[Provider, set[str]] = WeakKeyDictionary()
        self._contacts: WeakKeyDictionary[Provider, dict[str, Contact]] = WeakKeyDictionary()

    def run_in_scene(
        self,
        stage: StageRunner,
        provider: Provider,
        act: Callable[[Scene], Awaitable[Any]],
        peers: Mapping[str, Provider] | None = None,
    ) -> ScenarioRun:
        """Run ``act`` in a scene of ``provider``; ``peers`` are the providers of the run.

        A thread that outlives the scene may be one that the plugin starts once in a process. So
        that no verdict depends on which check comes first, what leaves a new kind of thread is
        played again.
        """
        known = self._known_threads.setdefault(provider, set())
        run = self._once(stage, provider, act, peers)
        kinds = kinds_of_threads(provider.name)
        if not kinds <= known:
            known |= kinds
            run = self._once(stage, provider, act, peers)
        return run

    def _once(
        self,
        stage: StageRunner,
        provider: Provider,
        act: Callable[[Scene], Awaitable[Any]],
        peers: Mapping[str, Provider] | None,
    ) -> ScenarioRun:
        notes = ""
        diagnostics = SceneDiagnostics()
        counted: Mapping[str, int] = {}

        async def scenario(opened: Stage) -> Any:
            nonlocal notes, diagnostics, counted
            with watch_connections():
                async with open_scene(opened, provider, exchange=self._exchange) as scene:
                    scene.peers = peers if peers is not None else scene.peers
                    scene.earlier_contacts = tuple(self._contacts.get(provider, {}).values())
                    try:
                        return await act(scene)
                    finally:
                        notes = "; ".join(scene.notes)
                        diagnostics = SceneDiagnostics.of(scene)
                        counted = scene.count

        involved = {who.name: who for who in (provider, *(peers or {}).values())}.values()
        foreign = (name for who in involved for name in of_plugin(who.manifest, list(os.environ)))
        with threads_of(provider.name), set_aside(foreign):
            run = run_scenario(stage, self._seed, scenario)
        self._remember_contacts(provider, run)
        found = tried(run.events, counted)
        return replace(run, notes=notes, diagnostics=diagnostics, tried=found)

    def _remember_contacts(self, provider: Provider, run: ScenarioRun) -> None:
        """Keep what the plugin contacted, unless a vendor sent it there; it may do so only once."""
        if any(e.kind == "fault" and "redirect" in str(e.detail["what"]) for e in run.events):
            return
        for contact in run.contacts:
            by_host = contact.origin.startswith("livekit.api.")  # to the room's server, by its URL
            if contact.concerns(provider.name, provider.module) and not by_host:
                known = self._contacts.setdefault(provider, {})
                known.setdefault(contact.address, contact)
