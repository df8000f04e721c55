"""One run as a value: what was to be run, what came of it. Every report is made from this."""

from __future__ import annotations

import functools
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from .outcomes import CheckId, CheckResult, Level, Outcome

SubjectKind = Literal["host", "endpoint", "provider"]
DeviationState = Literal["used", "unused", "stale", "expired", "unknown"]


LOOPBACK, LIVE, DEPLOYED = "loopback", "live", "deployed"
"""The stages that a run's checks are played on."""


@dataclass(frozen=True)
class RequirementFacts:
    """Facts of a requirement for the reports.

    ``hint`` is the likely mend of a failure, ``source`` the host's symbol or the link that it
    follows from. ``scored`` is false for one that is newer than the frozen revision: it is run and
    shown, and decides nothing.
    """

    id: str
    family: str
    level: Level
    text: str
    why: str = ""
    hint: str = ""
    source: str = ""
    capability: str | None = None
    scored: bool = True
    tier: str = "fault-safe"
    """The lowest tier that asks for it, by the value of a `Tier`."""


@dataclass(frozen=True)
class DeviationUse:
    """A known deviation, and what became of it in this run.

    ``used``: it excused a failure. ``unused``: nothing it is about was judged here. ``stale``: a
    check that it says fails has passed, see ``passing``. ``expired``: its last day is over.
    ``unknown``: it names no requirement. ``expires`` is an ISO date; ``origin`` is the adapter or
    the file it comes from.
    """

    requirement: str
    variants: tuple[str, ...]
    reason: str
    reference: str
    owner: str
    expires: str
    host: str
    plugin: str
    origin: str
    state: DeviationState
    passing: tuple[str, ...] = ()


@dataclass(frozen=True)
class SubjectRun:
    """One subject of a run (the host, the endpoint, a provider): its checks and their results.

    ``expected`` is every check that the selection asks of it; ``results`` is in the same order and
    shorter when the run is partial. ``manifest`` is the adapter's, as its schema describes it.
    """

    name: str
    kind: SubjectKind
    expected: tuple[CheckId, ...]
    results: tuple[CheckResult, ...]
    origin: str | None = None
    distribution: str | None = None
    version: str | None = None
    manifest: Mapping[str, Any] | None = None
    deviations: tuple[DeviationUse, ...] = ()

    def outcomes_of(self, check: CheckId) -> tuple[Outcome, ...]:
        """The outcomes of one check; without a variant, of all checks of its requirement."""
        return self._outcomes.get(check, ())

    @functools.cached_property
    def _outcomes(self) -> Mapping[CheckId, tuple[Outcome, ...]]:
        found: dict[CheckId, list[Outcome]] = {}
        for result in self.results:
            bare = CheckId(result.id.provider, result.id.requirement)
            for name in {result.id, bare}:
                found.setdefault(name, []).append(result.outcome)
        return {name: tuple(outcomes) for name, outcomes in found.items()}


@dataclass(frozen=True)
class Selection:
    """Selection of the user; ``whole`` is false when it leaves requirements out."""

    providers: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    level: Level | None = None
    checks: tuple[str, ...] = ()
    without_deviations: bool = False
    exchange: str = "plain"
    worker: str = ""
    """The command of the worker that is judged alone; empty where there is none."""

    @property
    def whole(self) -> bool:
        """Whether every requirement was asked for, and of the plugin's own calls."""
        return not (self.requirements or self.level or self.checks) and self.exchange == "plain"


@dataclass(frozen=True)
class Timing:
    """Wall-clock times: the only part of a report that differs between two equal runs.

    ``started`` and ``finished`` are ISO 8601 in UTC; ``checks`` maps each check's id to seconds.
    """

    started: str = ""
    finished: str = ""
    checks: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A whole run.

    ``gaps`` are reasons why it is partial that the ledger itself cannot see: an interruption, a
    deselection, a requirement without a check.
    """

    kit: str
    revision: str
    python: str
    host: Mapping[str, str]
    stage: str
    seed: int | None
    selection: Selection
    requirements: Mapping[str, RequirementFacts]
    subjects: tuple[SubjectRun, ...]
    gaps: tuple[str, ...] = ()
    required_tier: str | None = None
    """The tier without which the run fails; None asks for none."""
    timing: Timing = field(default_factory=Timing)

    def facts(self, result: CheckResult) -> RequirementFacts:
        """The requirement that a result is about."""
        return self.requirements[result.id.requirement]

    def repeat(self, check_id: CheckId) -> str:
        """The one command that runs a check of this run again, for a POSIX shell."""
        return repeat_command(check_id, self.selection, self.seed, stage=self.stage)


def level_for(facts: RequirementFacts, manifest: Mapping[str, Any] | None) -> Level:
    """The level of a requirement for one provider: a MUST for whoever claims its capability."""
    claimed = (manifest or {}).get("capabilities", {})
    if facts.capability is not None and claimed.get(facts.capability) is True:
        return Level.MUST
    return facts.level


def providers(run: Run) -> tuple[SubjectRun, ...]:
    """The providers of a run."""
    return tuple(subject for subject in run.subjects if subject.kind == "provider")


def repeat_command(
    check_id: CheckId, selection: Selection, seed: int | None, *, stage: str = LOOPBACK
) -> str:
    """The one command that runs a check again, for a POSIX shell."""
    parts = ["pytest --conformance"]
    peer = (check_id.variant or "").partition("to-")[2]
    if peer in selection.providers:
        # A check of a pair of providers exists only where both of them are certified.
        parts += [f"--provider {name}" for name in dict.fromkeys((check_id.provider, peer))]
    if selection.worker:
        parts.append(f"--worker {shlex.quote(selection.worker)}")
    elif stage != LOOPBACK:
        parts.append(f"--{stage}")
    if selection.exchange != "plain":
        parts.append(f"--exchange {selection.exchange}")
    if seed is not None:
        parts.append(f"--conformance-seed {seed}")
    return " ".join([*parts, f"'{check_id}'"])
