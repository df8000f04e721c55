"""What a user's shell has set for other work is set aside for a run."""

from __future__ import annotations

import os
from typing import Any

import pytest

from conformance.plugin.manifest import Manifest
from conformance.plugin.provider import Provider
from conformance.results.outcomes import Outcome
from conformance.stage.environ import ambient, of_plugin, set_aside
from tests.mutants.mutant import SoundAdapter
from tests.mutants.robust import SoundAvatar
from tests.suite.check_runner import check_runner, subject_of


def manifest(**changes: Any) -> Manifest:
    """The sound provider's manifest, with changes."""
    adapter = SoundAdapter()
    return Manifest.from_json({**adapter.avatar_provider_manifest(), **changes})


def test_variables_of_tls_proxies_and_telemetry_are_ambient() -> None:
    """Both spellings of a proxy count; what only sounds alike does not."""
    names = ["SSL_CERT_FILE", "https_proxy", "NO_PROXY", "OTEL_SDK_DISABLED", "PROXY", "PATH"]
    assert ambient(names) == ["NO_PROXY", "OTEL_SDK_DISABLED", "SSL_CERT_FILE", "https_proxy"]


def test_variables_of_a_plugin_are_those_it_declares_and_those_with_its_prefix() -> None:
    """The prefix is the provider's name, or what a declared variable begins with."""
    credentials = [{"name": "api_key", "environment": "ACME_API_KEY"}]
    names = ["ACME_API_URL", "ACME_API_KEY", "SKETCH_DEBUG", "ACMEX_KEY", "LIVEKIT_URL"]
    of_acme = of_plugin(manifest(name="sketch-local", credentials=credentials), names)
    assert of_acme == ["ACME_API_KEY", "ACME_API_URL", "SKETCH_DEBUG"]


def test_what_is_set_aside_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is gone for the moment alone."""
    monkeypatch.setenv("ACME_API_URL", "https://staging.acme.test")
    with set_aside(["ACME_API_URL", "ACME_NOT_SET"]):
        assert "ACME_API_URL" not in os.environ
    assert os.environ["ACME_API_URL"] == "https://staging.acme.test"
    assert "ACME_NOT_SET" not in os.environ


class Configured(SoundAvatar):
    """A plugin that goes elsewhere where a variable says so."""

    async def start(self, *args: Any, **options: Any) -> None:
        if any(name in os.environ for name in ("REFERENCE_API_URL", "SSL_CERT_FILE")):
            raise ConnectionError("staging is not there")
        await super().start(*args, **options)


@pytest.mark.parametrize("variable", ["REFERENCE_API_URL", "SSL_CERT_FILE"])
def test_a_variable_of_the_shell_fails_no_check(
    variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plugin sees neither another endpoint of its vendor nor another certificate store."""
    monkeypatch.setenv(variable, "/nonexistent")
    adapter: Any = type("Adapter", (SoundAdapter,), {"avatar": Configured})()
    provider = Provider(adapter, label="acme", origin="a test", source="file")
    subject = subject_of(provider)
    check = next(c for c in subject.checks if c.requirement == "BIND-01")
    assert check_runner().run(subject, check).outcome is Outcome.PASSED
    assert os.environ[variable] == "/nonexistent"
