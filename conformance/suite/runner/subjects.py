"""Subjects of a run: the host, the kit's own endpoint, and providers, each with its checks."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from conformance.plugin.provider import Provider
from conformance.suite.checks import load
from conformance.suite.registry import Check, registered
from conformance.suite.scene.canary import secrets_of
from conformance.suite.scene.host_chain import SwapMechanism, swap_mechanisms


@dataclass(frozen=True)
class Subject:
    """A subject: the host, the kit's own endpoint, or a provider; and the checks for it."""

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
