"""The bundled adapters drive earlier versions of their plugins, and say what those do otherwise."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from conformance.certificate.environment import CommandInstaller, Environment
from conformance.plugin import VendorAPI
from conformance.plugin.discovery import bundled_names
from conformance.plugin.provider import Provider
from conformance.results.outcomes import Finding
from tests.mutants import load
from tests.mutants.judging import raw, subject_of
from tests.mutants.mutant import MUTANTS
from vendor_adapters._earlier.versions import installed

ROOT = Path(__file__).resolve().parents[2]
CAUSE = "the wrappers were replaced by start(), now: "
CALL = "`agent_session.output.replace_audio_tail(sink)`"
Install = Callable[[str | None], None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Pretend that every plugin is installed in one version, or in none."""

    def pretend(version: str | None) -> None:
        def answer(distribution: str) -> str:
            if version is None:
                raise importlib.metadata.PackageNotFoundError(distribution)
            return version

        monkeypatch.setattr(importlib.metadata, "version", answer)
        installed.cache_clear()

    yield pretend
    installed.cache_clear()


def api_of(vendor: str) -> VendorAPI:
    """What an adapter says of its vendor's API."""
    api: VendorAPI = import_module(f"vendor_adapters.{vendor}").vendor_backend()
    return api


def required(schema: Any) -> str:
    """The names of a body's fields."""
    return " ".join(sorted(schema["required"]))


@pytest.mark.parametrize(
    ("vendor", "version", "calls"),
    [
        ("anam", "1.6.0", ["/v1/auth/session-token", "/v1/engine/session"]),
        ("anam", "1.8.0", ["/v1/auth/session-token", "/v1/engine/session"]),
        ("anam", "1.8.1", ["/v1/engine/session"]),
        ("bey", "1.8.8", ["/v1/session"]),
        ("bey", "1.8.9", ["/v1/sessions"]),
        ("tavus", "1.6.4", ["/v2/personas", "/v2/conversations"]),
        ("tavus", "1.6.5", ["/v2/conversations"]),
    ],
)
def test_the_calls_are_those_of_the_installed_version(
    install: Install, vendor: str, version: str, calls: list[str]
) -> None:
    """A vendor's API has the paths that the installed plugin calls."""
    install(version)

    assert [call.path for call in api_of(vendor).calls] == calls


@pytest.mark.parametrize(
    ("vendor", "version", "fields"),
    [
        ("anam", "1.8.0", ""),
        ("anam", "1.8.1", "environment personaConfig"),
        ("bey", "1.8.8", "avatar_id livekit_token livekit_url"),
        ("bey", "1.8.9", "avatar_id token transport url"),
        ("lemonslice", "1.8.8", "agent_id properties transport_type"),
        ("lemonslice", "1.8.9", "agent_id audio_sample_rate properties transport_type"),
        ("tavus", "1.6.4", "conversation_name persona_id properties replica_id"),
        ("tavus", "1.8.0", "conversation_name pal_id properties"),
        ("tavus", "1.8.1", "conversation_name face_id pal_id properties"),
    ],
)
def test_the_fields_are_those_of_the_installed_version(
    install: Install, vendor: str, version: str, fields: str
) -> None:
    """The last call that a start makes must have exactly the installed plugin's fields."""
    install(version)

    assert required(api_of(vendor).calls[-1].body) == fields


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        ("1.6.4", "livekit_token livekit_url"),
        ("1.6.5", "livekit_session_id livekit_token livekit_url"),
    ],
)
def test_lemonslice_is_told_the_livekit_session_from_then_on(
    install: Install, version: str, fields: str
) -> None:
    """What the request says of the room grew by a field in 1.6.5."""
    install(version)
    body: Any = api_of("lemonslice").calls[0].body

    assert required(body["properties"]["properties"]) == fields


def test_a_plugin_that_is_not_installed_is_described_as_the_newest(install: Install) -> None:
    """Adapters can be listed where no plugin is."""
    for vendor in ("anam", "bey", "lemonslice", "tavus"):
        install("99.0")
        newest = api_of(vendor)
        install(None)
        assert api_of(vendor) == newest


@pytest.mark.parametrize(
    ("vendor", "version", "expected"),
    [
        ("anam", "1.8.8", (24000, True, ["api_key"])),
        ("anam", "1.8.9", (24000, True, ["api_key"])),
        ("bey", "1.8.8", (16000, False, ["api_key"])),
        ("bey", "1.8.9", (16000, False, ["api_key"])),
        ("lemonslice", "1.8.8", (16000, True, ["api_key"])),
        ("lemonslice", "1.8.9", (24000, True, ["api_key"])),
        ("tavus", "1.6.4", (24000, False, ["api_key", "replica_id"])),
        ("tavus", "1.6.5", (24000, False, ["api_key"])),
    ],
)
def test_the_manifest_is_that_of_the_installed_version(
    install: Install, vendor: str, version: str, expected: object
) -> None:
    """Sample rate, claims and settings are what the installed plugin has."""
    install(version)
    adapter = import_module(f"vendor_adapters.{vendor}")
    manifest = Provider(adapter, label=vendor, origin="bundled").manifest

    assert expected == (
        manifest.sample_rate,
        manifest.capabilities.playback_started,
        [credential.name for credential in manifest.credentials],
    )


def finding_of(mutant: str, requirement: str) -> Finding:
    """Why a check fails a broken provider."""
    load()
    subject = subject_of(MUTANTS[mutant].provider())
    (check,) = (c for c in subject.checks if c.requirement == requirement)
    finding = raw(subject, check, check.variants[0] if check.variants else None).finding
    assert finding is not None
    return finding


@pytest.mark.parametrize("requirement", ["SWAP-02", "PLAY-02"])
def test_a_failure_behind_replaced_wrappers_says_so(requirement: str) -> None:
    """The text says what was replaced, and which call keeps it, however far away it shows."""
    hint = finding_of("raw-assignment", requirement).hint

    assert hint.startswith(CAUSE)
    assert CALL in hint


def test_a_failure_of_another_cause_keeps_its_hint() -> None:
    """Where the wrappers are still there they are not mentioned."""
    assert CAUSE not in finding_of("ends-as-played", "SWAP-03").hint


def newest_host() -> str:
    """The newest livekit-agents that has a constraints file."""
    files = (ROOT / "tests" / "constraints").glob("host-*.txt")
    return str(max(Version(file.stem.removeprefix("host-")) for file in files))


def plugins_on_the_newest_host(version: str, folder: Path) -> Environment:
    """An environment with the kit, the newest host and all plugins in one version."""
    adapters = [import_module(f"vendor_adapters.{name}") for name in bundled_names()]
    plugins = {adapter.avatar_provider_manifest()["distribution"] for adapter in adapters}
    plugins.discard("livekit-agents")
    installer = CommandInstaller.at_hand()
    environment = installer.create(folder)
    undeclared = "pillow"  # bitHuman's plugin of 1.6 imports it, and does not ask for it
    host = f"livekit-agents=={newest_host()}"
    pinned = [f"{name}=={version}" for name in sorted(plugins)]
    installer.install(environment, [host, *pinned, undeclared, str(ROOT)])
    return environment


@pytest.mark.installs
@pytest.mark.parametrize(("version", "outcome"), [("1.6.0", "failed"), ("1.6.1", "passed")])
def test_the_plugins_of_1_6_0_replace_the_wrappers_and_those_of_1_6_1_do_not(
    tmp_path: Path, version: str, outcome: str
) -> None:
    """BIND-02 fails for each of the 13 at 1.6.0, for that reason, and for none at 1.6.1.

    Both on the newest host. Needs a package index.
    """
    if os.environ.get("AVATAR_CONFORMANCE_OFFLINE"):
        pytest.skip("told that there is no package index")
    environment = plugins_on_the_newest_host(version, tmp_path / "environment")
    work = tmp_path / "work"
    work.mkdir()
    command = "-I -m pytest --conformance --provider all --conformance-report r.json -k"
    done = subprocess.run(
        [str(environment.python), *command.split(), "BIND-02 and not UNBIND-02"],
        cwd=work,
        capture_output=True,
        text=True,
        timeout=600,
    )

    assert done.returncode == 1, done.stdout + done.stderr  # a part certifies nothing
    report = json.loads((work / "r.json").read_text("utf-8"))
    results = {r["id"]: r for subject in report["subjects"] for r in subject["results"]}
    hosts_own = "inference::BIND-02"
    names = [name for name in results if name.endswith("::BIND-02") and name != hosts_own]
    judged = {name: results[name] for name in names}
    assert len(judged) == len(bundled_names()) - 1
    assert {result["outcome"] for result in judged.values()} == {outcome}
    for result in judged.values():
        if outcome == "failed":
            assert "the wrappers were replaced" in result["finding"]["observed"]
            assert CALL in result["finding"]["hint"]
