"""The range of hosts: the oldest is judged, an older one is refused, and pyproject agrees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from conformance.certificate.environment import CommandInstaller
from conformance.certification.options import tomllib
from conformance.plugin.installed import HOST, OLDEST_HOST

ROOT = Path(__file__).resolve().parents[2]
PINNED = ROOT / "tests" / "constraints" / f"host-{OLDEST_HOST}.txt"
ADAPTER = """
from conformance.plugin import hookimpl
from conformance.reference import adapter
from conformance.reference.adapter import create_avatar, vendor_backend

@hookimpl
def avatar_provider_manifest():
    return {**adapter.avatar_provider_manifest(), "name": "acme"}
"""


def test_what_is_installed_is_what_is_supported() -> None:
    """The distribution asks for the oldest host that a run accepts, and for no older one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (asked,) = (r for r in map(Requirement, project["dependencies"]) if r.name == HOST)
    assert str(asked.specifier) == f">={OLDEST_HOST}"


def test_an_older_host_ends_the_run_in_one_line(tmp_path: Path) -> None:
    """pytest's usage error, with the version and the mend, and no internal error."""
    info = tmp_path / "livekit_agents-1.5.10.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: livekit-agents\nVersion: 1.5.10\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:asyncio", "--conformance", "--provider", "anam"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stderr.strip() == (
        "ERROR: livekit-agents 1.5.10 is too old to be certified against; "
        f"run: pip install 'livekit-agents>={OLDEST_HOST}'"
    )


def test_a_host_that_lacks_a_package_ends_the_run_in_one_line(tmp_path: Path) -> None:
    """What the host's own import lacks is named, with the way to install it."""
    (tmp_path / "conftest.py").write_text("import sys\nsys.modules['livekit.agents'] = None\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:asyncio", "--conformance"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        encoding="utf-8",
    )
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    (line,) = done.stderr.strip().splitlines()
    assert "cannot be imported: " in line
    assert "run: pip install livekit.agents" in line


@pytest.mark.installs
def test_the_oldest_host_is_judged(tmp_path: Path) -> None:
    """On the oldest host each check of the set gets an outcome, and none is an error."""
    installer = CommandInstaller.at_hand()
    # httpx: livekit-agents 1.6.0 imports it and does not ask for it.
    environment = installer.create(tmp_path / "environment")
    installer.install(environment, [str(ROOT), "httpx", "-c", str(PINNED)])
    (tmp_path / "conformance_adapter.py").write_text(ADAPTER)
    done = subprocess.run(
        [str(environment.python), "-m", "pytest", "--conformance", "--conformance-report=r.json"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        encoding="utf-8",
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    report = json.loads((tmp_path / "r.json").read_text("utf-8"))
    assert report["host"][HOST] == OLDEST_HOST
    assert report["partial"] is False
    for subject in report["subjects"]:
        assert subject["ledger"]["closed"]
        assert [r["id"] for r in subject["results"] if r["outcome"] == "error"] == []
