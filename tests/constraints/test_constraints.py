from __future__ import annotations

import configparser
import importlib
import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from conformance.plugin.discovery import bundled_names
from conformance.plugin.provider import Provider
from tests.constraints.__main__ import HERE, HOSTS, ROOT, plugin_version, plugins

_toml = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

PROJECT = _toml.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def _pinned(host: str) -> dict[str, set[str]]:
    """The versions of each distribution that one file allows."""
    pinned: dict[str, set[str]] = {}
    for line in (HERE / f"host-{host}.txt").read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            requirement = Requirement(line)
            (specifier,) = requirement.specifier
            assert specifier.operator == "=="
            pinned.setdefault(canonicalize_name(requirement.name), set()).add(specifier.version)
    return pinned


@pytest.mark.parametrize("host", HOSTS)
def test_a_host_is_pinned_with_the_plugins_of_its_version(host: str) -> None:
    """Each file has one livekit-agents, and the 13 plugins that belong to it."""
    pinned = _pinned(host)
    assert pinned["livekit-agents"] == {host}
    assert len(plugins()) == 13
    assert {name: pinned[name] for name in plugins()} == {
        name: {plugin_version(host, name)} for name in plugins()
    }


@pytest.mark.parametrize("name", bundled_names())
def test_the_plugin_that_is_tested_is_the_one_that_was_judged(name: str) -> None:
    """On the newest host, the known deviations are about the version that is pinned."""
    adapter = importlib.import_module(f"vendor_adapters.{name}")
    provider = Provider(adapter, label=name, origin="bundled")
    version = plugin_version(HOSTS[-1], provider.manifest.distribution)
    assert [d for d in provider.known_deviations() if version not in SpecifierSet(d.plugin)] == []


@pytest.mark.parametrize("host", HOSTS)
def test_all_that_the_kit_asks_for_is_pinned(host: str) -> None:
    """Nothing in pyproject.toml is left to what the index has today; the command mends it."""
    asked = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    names = {canonicalize_name(Requirement(line).name) for part in asked for line in part}
    assert names - set(_pinned(host)) == set(), f"run python -m tests.constraints {host}"


def test_tox_knows_each_host() -> None:
    """Each file is the dependency of an environment, and each environment is in the list."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini")
    named = re.findall(r"(host\d+|.*!.*): -r (\S+)", tox["testenv"]["deps"])
    assert {Path(path) for _, path in named} == {
        (HERE / f"host-{host}.txt").relative_to(ROOT) for host in HOSTS
    }
    factors = [f"host{host.replace('.', '')}" for host in HOSTS[:-1]]
    assert [factor for factor, _ in named if factor in factors] == factors
    assert f"host{{{','.join(f.removeprefix('host') for f in factors)}}}" in tox["tox"]["env_list"]
