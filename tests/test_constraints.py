from __future__ import annotations

import configparser
import importlib
import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.constraints.__main__ import HERE, HOSTS, ROOT, plugins

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
    """Each file has one livekit-agents, and the 13 plugins of the same version."""
    pinned = _pinned(host)
    assert len(plugins()) == 13
    assert {name: pinned[name] for name in ("livekit-agents", *plugins())} == {
        name: {host} for name in ("livekit-agents", *plugins())
    }


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
