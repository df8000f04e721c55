"""What is judged on the deployed stage: a worker alone, or providers with all that is theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType

from conformance.plugin.discovery import discover, select
from conformance.plugin.provider import Provider
from conformance.stage.interface import StageRunner
from conformance.suite.runner.subjects import Subject

from .checks import CHECKS
from .exchange_checks import EXCHANGE_CHECKS
from .plugin_and_api import PluginAndAPI, check_server_is_reachable, real_secrets
from .runner import DeployedRunner
from .scene import Deployment
from .worker_alone import WorkerAlone
from .worker_process import parsed


@dataclass(frozen=True)
class DeployedSubjects:
    """The subjects of a run, how each is deployed, and the secrets that no report may have."""

    subjects: tuple[Subject, ...]
    deployments: Mapping[str, Deployment]
    providers: Mapping[str, Provider] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()

    def runner(self, stage: StageRunner) -> DeployedRunner:
        """What runs their checks on ``stage``."""
        return DeployedRunner(stage, self.deployments)


def deployed_subjects(
    rootdir: Path,
    names: Sequence[str],
    *,
    worker: str = "",
    server: str | None = None,
    vendor_at: tuple[tuple[str, int], ...] = (),
    conftests: Iterable[ModuleType] = (),
) -> DeployedSubjects:
    """The worker that the command ``worker`` starts; without one the providers ``names``.

    ``vendor_at`` are addresses of the vendors' APIs beside the hosts of the manifests, and
    ``server`` is the URL of a LiveKit server that was named.

    Raises `UsageError` for an unknown provider, one whose credentials are not in the environment,
    and one whose worker cannot reach the server.
    """
    checks = tuple(CHECKS)
    if worker:
        alone = WorkerAlone(parsed(worker))
        return DeployedSubjects((Subject(alone.name, checks),), {alone.name: alone})
    selected = select(discover(rootdir=rootdir, conftests=conftests), names)
    peers = tuple(f"to-{provider.name}" for provider in selected)
    in_a_call = tuple(
        replace(check, variants=peers) if check.for_peers else check for check in EXCHANGE_CHECKS
    )
    for provider in selected:
        check_server_is_reachable(provider.manifest, server, vendor_at)
    secrets = {provider.name: real_secrets(provider) for provider in selected}
    return DeployedSubjects(
        tuple(
            Subject(provider.name, (*checks, *in_a_call), provider=provider)
            for provider in selected
        ),
        {p.name: PluginAndAPI(p, secrets[p.name], vendor_at) for p in selected},
        {p.name: p for p in selected},
        tuple(
            secrets[p.name][c.name] for p in selected for c in p.manifest.credentials if c.is_secret
        ),
    )


__all__ = ["DeployedSubjects", "deployed_subjects"]
