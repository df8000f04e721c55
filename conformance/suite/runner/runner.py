"""The way of one verdict: from a check and a subject to a result, in one place."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from conformance.endpoint.early_capture import host_watched
from conformance.host import defects
from conformance.plugin.provider import Provider
from conformance.requirements import load_catalogue
from conformance.results.outcomes import CheckId, CheckResult, HostDefectRef, Level, Outcome
from conformance.stage.interface import Stage, StageRunner
from conformance.suite.registry import Check, registered
from conformance.suite.scene.exchange import PLAIN
from conformance.suite.scene.host_chain import ChainScene, EndpointSwap
from conformance.suite.scene.scene import Scene
from conformance.suite.scene.tried import nothing_tried

from .attribution import (
    attribute,
    attribute_to_host,
    blocked_by_failed_start,
    blocked_by_silence,
)
from .execution import ScenarioRun, SceneRunner, run_scenario
from .hints import with_root_cause
from .readiness import Unready, why_unready
from .redaction import canonical_event
from .reference import reference_provider
from .subjects import Subject
from .verdict import Verdict, run_guarded

READINESS = "BIND-01"
"""The check that reports an adapter which cannot even construct its avatar."""

AUDIO = "BIND-04"
"""The check that reports speech which never reaches the avatar."""

KEPT_RUNS = 256
"""How many runs of shared scenarios are kept; a provider has some 20."""


class CheckRunner:
    """Runs checks on one stage, and says of each what became of it.

    One serves a whole session: it keeps what several checks share. ``stage`` opens the stages.
    ``seed`` shuffles what is ready at the same moment. ``reference`` is the provider that shows
    what is the host's own fault; ``attribution`` False keeps a failure a failure, whoever else
    shares it. ``exchange`` says who exchanges the avatars (`scene.exchange`). ``mends`` plays what
    a defect of the host blocks again, on the mended host.
    """

    def __init__(
        self,
        stage: StageRunner,
        *,
        seed: int | None = None,
        reference: Provider | None = None,
        attribution: bool = True,
        exchange: str = PLAIN,
        mends: bool = True,
        mended_by: tuple[str, ...] = (),
    ) -> None:
        self._stage = stage
        self._seed = seed
        self._reference = reference or reference_provider()
        self._attribution = attribution
        self._exchange = exchange
        self._mends = mends
        self._mended_by = mended_by
        self._on_mended: dict[tuple[str, ...], CheckRunner] = {}
        self._scenes = SceneRunner(seed, exchange)
        # a switcher is to leave no more behind than the avatars' own calls do
        self._controls = self._scenes if exchange == PLAIN else SceneRunner(seed)
        self._readiness: dict[tuple[str, Provider], Unready | None] = {}
        self._verdicts: dict[tuple[str, Provider, str, str | None], Verdict] = {}
        self._runs: OrderedDict[Any, ScenarioRun] = OrderedDict()

    def run(self, subject: Subject, check: Check, variant: str | None = None) -> CheckResult:
        """Run one check of ``subject``; raises nothing of the provider's or the check's.

        Whatever ends it without a verdict makes it an error, never a pass.
        """
        check_id = CheckId(subject.name, check.requirement, variant)
        run = ScenarioRun(Verdict(Outcome.ERROR, reason="the check was not played"))

        def judge() -> ScenarioRun:
            return self._judge(subject, check, check_id)

        ours = self._exchange != PLAIN or isinstance(subject.kit, EndpointSwap)
        with host_watched(ours):
            guarded = run_guarded(judge)
        if guarded.outcome is not Outcome.PASSED:
            run = ScenarioRun(guarded.without_secrets())
        elif isinstance(guarded.value, ScenarioRun):
            run = guarded.value
        return _result(check_id, _level(subject, check), run)

    def _judge(self, subject: Subject, check: Check, check_id: CheckId) -> ScenarioRun:
        variant = check_id.variant
        provider = subject.provider
        other = subject.peers.get(_peer_of(variant)) if check.for_peers else None
        stage = self._stage_for((provider, other))
        rule = None if stage.virtual else check.needs_virtual_time(variant)
        if rule is None and provider is not None and check.exempt is not None:
            rule = check.exempt(provider.manifest)
        if rule is not None:
            return ScenarioRun(Verdict(Outcome.NOT_APPLICABLE, reason=rule))
        if provider is None:
            run = run_scenario(stage, self._seed, _chain_scenario(subject, check, variant))
            verdict = run.verdict.without_secrets()
            if self._attribution:
                verdict = attribute_to_host(check_id, verdict)
            return replace(run, verdict=verdict)
        unready = self._unready(provider, other, check, stage)
        if unready is not None:
            return ScenarioRun(unready)
        run = self._raw(check, variant, provider, stage, subject.peers)
        if not self._attribution or provider is self._reference:
            return run
        verdict = run.verdict
        limited = verdict.outcome is Outcome.ERROR and bool(run.limits)
        if verdict.outcome is Outcome.FAILED or limited:
            starts = next(c for c in registered() if c.requirement == READINESS)
            start_id, start = self._verdict_of(provider, starts, None, stage)
            verdict = blocked_by_failed_start(check_id, verdict, start_id, start)
        if verdict.outcome is Outcome.FAILED and run.diagnostics.nothing_heard:
            audio = next(c for c in registered() if c.requirement == AUDIO)
            audio_id, of_audio = self._verdict_of(provider, audio, None, stage)
            verdict = blocked_by_silence(check_id, verdict, audio_id, of_audio)
        verdict = attribute(
            check_id,
            verdict,
            provider,
            other,
            lambda who: self._verdict_of(who, check, variant, stage),
            self._reference,
            self._mended_by,
        )
        run = replace(run, verdict=verdict, mended_by=self._mended_by)
        if self._mends and isinstance(verdict.blocked_by, HostDefectRef):
            return self._mended(verdict.blocked_by, run, subject, check, check_id)
        return run

    def _mended(
        self, defect: HostDefectRef, run: ScenarioRun, subject: Subject, check: Check, id: CheckId
    ) -> ScenarioRun:
        """The ``run`` that ``defect`` blocks, played again on the host that is mended of it.

        What fails there is the provider's own. It stays blocked, and says why, where no mend is
        possible, or where the reference provider fails on the mended host too.
        """
        mended_by = (*self._mended_by, defect.id)
        if mended_by not in self._on_mended:
            self._on_mended[mended_by] = CheckRunner(
                self._stage,
                seed=self._seed,
                reference=self._reference,
                exchange=self._exchange,
                mended_by=mended_by,
            )
        try:
            with defects.mended(*mended_by):
                again = self._on_mended[mended_by]._judge(subject, check, id)
        except defects.NoMend as none:
            return _still_blocked(run, str(none))
        if again.verdict.outcome is Outcome.ERROR:
            return _still_blocked(run, f"on a host mended of it: {again.verdict.reason}")
        return again

    def _stage_for(self, providers: Iterable[Provider | None]) -> StageRunner:
        """The stage, in real time where one of ``providers`` declares that it needs it."""
        if any(p is not None and p.manifest.capabilities.real_time for p in providers):
            return self._stage.in_real_time()
        return self._stage

    def _unready(
        self, provider: Provider, other: Provider | None, check: Check, stage: StageRunner
    ) -> Verdict | None:
        """The verdict where ``provider``, or the ``other`` of a swap, constructs no avatar."""
        unready = self._readiness_of(provider, stage)
        if unready is None:
            if other is None or self._readiness_of(other, stage) is None:
                return None
            home = CheckId(other.name, READINESS)
            return Verdict(Outcome.BLOCKED, reason=str(home), blocked_by=home)
        if unready.refusal is not None and not check.needs_avatar:
            return None
        if check.requirement != READINESS:
            home = CheckId(provider.name, READINESS)
            return Verdict(Outcome.BLOCKED, reason=str(home), blocked_by=home)
        if unready.refusal is not None:
            return Verdict(Outcome.FAILED, unready.refusal)
        return Verdict(Outcome.ERROR, reason=unready.problem)

    def _readiness_of(self, provider: Provider, stage: StageRunner) -> Unready | None:
        key = (stage.name, provider)
        if key in self._readiness:
            return self._readiness[key]
        unready = why_unready(provider, stage)
        if unready is None or stage.virtual:  # in real time it may be well the next time
            self._readiness[key] = unready
        return unready

    def _verdict_of(
        self, provider: Provider, check: Check, variant: str | None, stage: StageRunner
    ) -> tuple[CheckId, Verdict]:
        """The raw verdict of a check that is not under test itself, found once."""
        peers = dict.fromkeys((provider.name, _peer_of(variant)), provider)
        if check.for_peers:
            variant = f"to-{provider.name}"
        key = (stage.name, provider, check.where, variant)
        if key not in self._verdicts:
            verdict = self._raw(check, variant, provider, stage, peers).verdict
            self._verdicts[key] = replace(verdict, value=None, error=None)
        return CheckId(provider.name, check.requirement, variant), self._verdicts[key]

    def _raw(
        self,
        check: Check,
        variant: str | None,
        provider: Provider,
        stage: StageRunner,
        peers: Mapping[str, Provider],
    ) -> ScenarioRun:
        """The run of ``check`` with its raw verdict, whoever else shares it.

        A failure where the stage came to a limit of its own is nobody's.
        """
        run = self._played(check, variant, provider, stage, peers)
        verdict = run.verdict
        if verdict.outcome is Outcome.FAILED and run.limits:
            verdict = Verdict(Outcome.ERROR, reason="; ".join(run.limits))
        if verdict.finding is not None:
            finding = with_root_cause(verdict.finding, check, run.diagnostics)
            verdict = replace(verdict, finding=finding)
        return replace(run, verdict=verdict.without_secrets())

    def _played(
        self,
        check: Check,
        variant: str | None,
        provider: Provider,
        stage: StageRunner,
        peers: Mapping[str, Provider],
    ) -> ScenarioRun:
        variants = () if variant is None else (variant,)
        options: dict[str, Any] = {}
        if check.control is not None:
            control = self._shared(check.control, self._reference, (), stage, self._controls)
            if not control.whole:
                return control
            options["allowed"] = control.verdict.value
        function: Callable[..., Any] = check.function
        if check.scenario is None:

            async def act(scene: Scene) -> None:
                await function(scene, *variants, **options)

            return _unless_empty(check, self._scenes.run_in_scene(stage, provider, act, peers))
        run = self._shared(check.scenario, provider, variants, stage, self._scenes)
        if not run.whole:
            return run
        found = run.verdict.value
        verdict = run_guarded(lambda: function(found, *variants, **options))
        return _unless_empty(check, replace(run, verdict=verdict, notes=verdict.value or ""))

    def _shared(
        self,
        scenario: Callable[..., Any],
        provider: Provider,
        variants: tuple[str, ...],
        stage: StageRunner,
        scenes: SceneRunner,
    ) -> ScenarioRun:
        """The run of a scenario that several checks judge: once in virtual time.

        It is played whole, on a stage of its own, before any of them is judged. So neither their
        order nor which of them are selected changes a verdict or a timeline.
        """
        key = (scenes, stage.name, provider, scenario, variants)
        if key in self._runs:
            self._runs.move_to_end(key)
            return self._runs[key]
        run = scenes.run_in_scene(stage, provider, lambda scene: scenario(scene, *variants))
        if stage.virtual:
            self._runs[key] = replace(run, verdict=replace(run.verdict, error=None))
            if len(self._runs) > KEPT_RUNS:
                self._runs.popitem(last=False)
        return run


def _chain_scenario(subject: Subject, check: Check, variant: str | None) -> Callable[[Stage], Any]:
    async def scenario(stage: Stage) -> None:
        assert subject.kit is not None
        scene = ChainScene(subject.kit, stage.clock, stage.timeline)
        function: Callable[..., Any] = check.function
        await function(scene, *(() if variant is None else (variant,)))

    return scenario


def _unless_empty(check: Check, run: ScenarioRun) -> ScenarioRun:
    """The ``run``; an error where the check passed and has tried nothing."""
    empty = nothing_tried(check.tries, run.tried) if run.whole else None
    if empty is None:
        return run
    return replace(run, verdict=Verdict(Outcome.ERROR, reason=empty))


def _still_blocked(run: ScenarioRun, why: str) -> ScenarioRun:
    verdict = replace(run.verdict, reason=f"{run.verdict.reason}; {why}")
    return replace(run, verdict=verdict, mended_by=())


def _peer_of(variant: str | None) -> str:
    """The provider that a pair check's variant names."""
    return variant.removeprefix("to-") if variant else ""


def _level(subject: Subject, check: Check) -> Level:
    """The level of a requirement for ``subject``: a MUST for whoever claims its capability."""
    requirement = load_catalogue()[check.requirement]
    claims = subject.provider.manifest.capabilities if subject.provider is not None else None
    claimed = getattr(claims, requirement.capability or "", False)
    return Level.MUST if claimed else requirement.level


def _result(check_id: CheckId, level: Level, run: ScenarioRun) -> CheckResult:
    verdict = run.verdict
    by = verdict.blocked_by
    reason = verdict.reason or (run.notes if run.whole else "")
    if run.mended_by and verdict.blocked_by is None:
        mark = f"on a mended host: {', '.join(run.mended_by)}"
        reason = f"{mark}; {reason}" if reason else mark
    return CheckResult(
        id=check_id,
        level=level,
        outcome=verdict.outcome,
        finding=verdict.finding,
        reason=reason,
        reference=verdict.reference,
        events=tuple(map(canonical_event, run.events)),
        simulated_seconds=run.simulated_seconds,
        blocked_by=CheckId(check_id.provider, by) if isinstance(by, str) else by,
        error=verdict.error,
        mended_by=run.mended_by,
        tried=run.tried,
    )


__all__ = ["READINESS", "CheckRunner"]
