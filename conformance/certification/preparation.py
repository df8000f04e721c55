"""Everything that a certification needs before its first check: providers, plan, deviations."""

from __future__ import annotations

import datetime
import importlib
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from conformance import __version__
from conformance.errors import UsageError
from conformance.plugin.installed import check_environment, host_version
from conformance.results.deviation_policy import DeviationPolicy, ListedDeviation
from conformance.results.run import DEPLOYED, LIVE, LOOPBACK, RequirementFacts

from .deviations_file import read_baseline
from .options import Options
from .plan import Plan, make_plan

if TYPE_CHECKING:
    from conformance.live.session import LiveSession
    from conformance.plugin.provider import Provider
    from conformance.requirements import Catalogue
    from conformance.results.deviation import Deviation
    from conformance.stage.interface import StageRunner
    from conformance.suite.runner.controls import Controls

    from .collection import Runner


WORK = "WORK"
"""The family of what is asked of a worker alone."""


@dataclass(frozen=True)
class Prepared:
    """A certification that is ready to run. ``excuses`` has an entry for every subject."""

    kit: str
    revision: str
    python: str
    host: Mapping[str, str]
    stage: str
    providers: Mapping[str, Provider]
    plan: Plan
    excuses: Mapping[str, DeviationPolicy]
    secrets: tuple[str, ...]
    runner: Runner
    live: LiveSession | None = None
    """The real server that the checks are played on; None for the loopback stage."""
    controls: Controls | None = None
    """Known broken providers that are judged beside those of the run."""


def prepare(options: Options, conftests: Iterable[ModuleType] = ()) -> Prepared:
    """Find what is to be certified and plan it; imports livekit and the adapters.

    Raises `UsageError` (one line) for what the user can mend.
    """
    check_environment()
    _import_host()
    if options.deployed:
        return _prepare_deployed(options, conftests)
    from conformance.plugin.discovery import discover, select
    from conformance.requirements import load_catalogue
    from conformance.suite.checks import load
    from conformance.suite.runner import subjects as of_run
    from conformance.suite.runner.runner import CheckRunner

    discovered = discover(rootdir=options.rootdir, conftests=conftests)
    selected = select(discovered, options.providers)
    providers = {provider.name: provider for provider in selected}
    load()
    catalogue = load_catalogue()
    facts = _facts(catalogue)
    excluded = [name for name, requirement in catalogue.items() if requirement.excluded]
    plan = make_plan(of_run.subjects(selected), facts, excluded, options)
    baseline = (
        read_baseline(options.deviations, tuple(providers))
        if options.deviations is not None
        else {}
    )
    for name in baseline:
        if name not in discovered.providers:
            raise UsageError(f"{options.deviations}: unknown provider {name!r}")
    live = _live_session(options) if options.live else None
    return Prepared(
        runner=CheckRunner(
            live or _loopback(),
            seed=options.seed,
            exchange=options.exchange,
            mends=options.mends,
        ),
        kit=__version__,
        revision=catalogue.revision,
        python=platform.python_version(),
        host=dict(of_run.host_versions()),
        stage=LIVE if live is not None else LOOPBACK,
        providers=providers,
        plan=plan,
        excuses={
            subject.name: _excuses(
                providers.get(subject.name), baseline.get(subject.name, ()), facts, options
            )
            for subject in plan.subjects
        },
        secrets=tuple(of_run.canaries(selected)),
        live=live,
        controls=_controls(plan) if options.controls else None,
    )


def _prepare_deployed(options: Options, conftests: Iterable[ModuleType]) -> Prepared:
    """As :func:`prepare`, of a run that judges vendors' own workers."""
    from conformance.deployed.subjects import deployed_subjects
    from conformance.requirements import load_deployed
    from conformance.suite.runner.subjects import canaries, host_versions

    found = deployed_subjects(
        options.rootdir,
        options.providers,
        worker=options.worker,
        server=options.livekit.url if options.livekit is not None else None,
        vendor_at=options.vendor_at,
        conftests=conftests,
    )
    catalogue = load_deployed()
    facts = _facts(catalogue)
    if options.worker:  # what is asked of a plugin with its worker is not asked of a worker
        facts = {name: fact for name, fact in facts.items() if fact.family == WORK}
    live = _live_session(options)
    return Prepared(
        runner=found.runner(live),
        kit=__version__,
        revision=catalogue.revision,
        python=platform.python_version(),
        host=dict(host_versions()),
        stage=DEPLOYED,
        providers=found.providers,
        plan=make_plan(found.subjects, facts, (), options),
        excuses={
            subject.name: _excuses(found.providers.get(subject.name), (), facts, options)
            for subject in found.subjects
        },
        secrets=(*canaries(tuple(found.providers.values())), *found.secrets),
        live=live,
    )


def _controls(plan: Plan) -> Controls:
    from conformance.suite.runner.controls import Controls

    checks = (planned.id for planned in plan.checks if planned.subject.provider is not None)
    return Controls.among(checks)


def _import_host() -> None:
    """Raise `UsageError` where the installed host cannot be imported, for want of a package, say.

    livekit-agents 1.6.0 imports httpx and does not ask for it.
    """
    try:
        importlib.import_module("livekit.agents")
    except ImportError as error:
        missing = f"; run: pip install {error.name}" if error.name else ""
        raise UsageError(
            f"livekit-agents {host_version()} cannot be imported: {error}{missing}"
        ) from error


def _loopback() -> StageRunner:
    from conformance.loopback.stage import LoopbackRunner

    return LoopbackRunner()


def _live_session(options: Options) -> LiveSession:
    from conformance.live.launcher import ServerMissing
    from conformance.live.session import LiveSession

    try:
        if options.deployed:
            from conformance.deployed.runner import LIMIT

            return LiveSession(options.livekit, limit=LIMIT)
        return LiveSession(options.livekit)
    except ServerMissing as error:
        raise UsageError(f"--live: {error}") from None


def _excuses(
    provider: Provider | None,
    from_file: Iterable[Deviation],
    known: Mapping[str, RequirementFacts],
    options: Options,
) -> DeviationPolicy:
    if provider is None or options.without_deviations:
        return DeviationPolicy()
    listed = [
        ListedDeviation(deviation, provider.origin) for deviation in provider.known_deviations()
    ]
    file = options.deviations.name if options.deviations else ""
    listed += [ListedDeviation(deviation, file) for deviation in from_file]
    stage = LIVE if options.live else LOOPBACK
    stage = DEPLOYED if options.deployed else stage
    return DeviationPolicy(
        tuple(each for each in listed if each.deviation.stage in ("", stage)),
        frozenset(known),
        provider.installed_version,
        host_version(),
        datetime.date.today(),
        options.live,
    )


def _facts(catalogue: Catalogue) -> dict[str, RequirementFacts]:
    return {
        name: RequirementFacts(
            id=name,
            family=requirement.family,
            level=requirement.level,
            text=requirement.text,
            why=requirement.why,
            hint=requirement.hint,
            source=requirement.source,
            capability=requirement.capability,
            scored=catalogue.scored(name),
            tier=requirement.tier,
        )
        for name, requirement in catalogue.items()
    }
