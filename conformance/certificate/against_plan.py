"""A certificate's evidence against the plan of its revision, and what it was made with."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from packaging.version import InvalidVersion, Version

from conformance import __version__
from conformance.errors import ConformanceError
from conformance.plugin.discovery import BUNDLED, BUNDLED_PACKAGE
from conformance.plugin.installed import OLDEST_HOST
from conformance.requirements.host_defects import host_defects
from conformance.requirements.plan import PlannedRequirement, load_plan
from conformance.results.outcomes import CheckResult, HostDefectRef, Outcome
from conformance.results.run import LOOPBACK, Run, SubjectRun, providers

from .digests import file_digest
from .model import Adapter, Certificate


def plan_problems(run: Run) -> Iterator[str]:
    """What is wrong with the evidence by the plan of its revision, one line each.

    A planned check that is not there, one that is not applicable though no rule exempts anybody
    from it, and one that is blocked by what blocks nothing.
    """
    try:
        plan = load_plan(run.revision)
    except ConformanceError as error:
        yield str(error)
        return
    names = [subject.name for subject in providers(run)]
    for subject in run.subjects:
        yield from _missing(subject, plan, names)
        for result in subject.results:
            planned = plan.get(result.id.requirement)
            exempt = planned is None or _may_be_exempt(subject, planned)
            if result.outcome is Outcome.NOT_APPLICABLE and not exempt:
                yield f"{result.id} is not applicable, and no rule exempts anybody from it"
            if result.outcome is Outcome.BLOCKED:
                yield from _blocked(run, subject, result)


def made_with_problems(certificate: Certificate) -> Iterator[str]:
    """What makes a certificate worthless in what it was made with: stage, host, adapters."""
    run = certificate.run
    if run.stage != LOOPBACK:
        yield f"it was made on the stage {run.stage}, and only {LOOPBACK} certifies"
    host = run.host.get("livekit-agents", "")
    if not _supported(host):
        yield f"livekit-agents {host} is none that is supported"
    if run.kit == __version__:
        for adapter in certificate.adapters:
            yield from _adapter_problems(adapter)


def made_with(certificate: Certificate) -> str:
    """What a certificate was made with, in one row: a reader decides what of it to trust."""
    run = certificate.run
    adapters = (
        f"adapter of {each.provider} {each.origin} {each.sha256[:16]}…"
        for each in certificate.adapters
    )
    host = f"livekit-agents {run.host.get('livekit-agents', '?')}, Python {run.python}"
    return ", ".join((host, f"stage {run.stage}", f"kit {run.kit}", *adapters))


def _missing(
    subject: SubjectRun, plan: Mapping[str, PlannedRequirement], names: Sequence[str]
) -> Iterator[str]:
    judged = {str(result.id).partition("::")[2] for result in subject.results}
    of_host = subject.kind != "provider"
    for name, planned in plan.items():
        if name.startswith("HOST-") is of_host:
            for check in planned.ids(name, names):
                if check not in judged:
                    yield f"{subject.name}::{check} is not in it"


def _may_be_exempt(subject: SubjectRun, planned: PlannedRequirement) -> bool:
    claims = (subject.manifest or {}).get("capabilities", {})
    return planned.exempt or (planned.virtual_time and claims.get("real_time") is True)


def _blocked(run: Run, subject: SubjectRun, result: CheckResult) -> Iterator[str]:
    """Why what a check is said to be blocked by does not block it."""
    by = result.blocked_by
    if isinstance(by, HostDefectRef):
        host = run.host.get("livekit-agents", "")
        explained = _supported(host) and any(
            defect.id == by.id and defect.explains(result.id, host) for defect in host_defects()
        )
        if run.kit == __version__ and not explained:
            yield f"{result.id} is blocked by {by.id}, which livekit-agents {host} has not there"
        return
    assert by is not None, "a blocked result names what blocks it"
    if by.provider == subject.name:
        return  # it earns no tier
    if not result.of_pair_with(by.provider):
        yield f"{result.id} is blocked by {by}, with which it has nothing to do"
        return
    blocking = [
        outcome
        for other in run.subjects
        if other.name == by.provider
        for outcome in other.outcomes_of(by)
    ]
    if set(blocking) <= {Outcome.PASSED, Outcome.NOT_APPLICABLE}:
        yield f"{result.id} is blocked by {by}, which holds"


def _adapter_problems(adapter: Adapter) -> Iterator[str]:
    if adapter.origin != BUNDLED:
        return
    package = importlib.util.find_spec(BUNDLED_PACKAGE)
    folders = package.submodule_search_locations if package is not None else None
    name = f"{adapter.provider.replace('-', '_')}.py"
    files = [path for folder in folders or () if (path := Path(folder, name)).is_file()]
    if not files or file_digest(files[0]) != adapter.sha256:
        yield f"its adapter of {adapter.provider} is not the one of kit {__version__}"


def _supported(host: str) -> bool:
    try:
        return Version(host) >= Version(OLDEST_HOST)
    except InvalidVersion:
        return False


__all__ = ["made_with", "made_with_problems", "plan_problems"]
