"""A LiveKit server that is killed in the middle of a run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.live.launcher import ServerMissing, find_server
from conformance.stage.interface import STAGE_LOST

KILLER = """
import pathlib
import threading

def pytest_runtest_logstart(nodeid, location):
    if "SWAP-01[close-then-start]" in nodeid:
        threading.Timer(1.5, _kill).start()

def pytest_configure(config):
    global _config
    _config = config

def _kill():
    plugin = _config.pluginmanager.get_plugin("avatar_conformance_certification")
    server = plugin._prepared.live.server
    pathlib.Path("pid").write_text(str(server.pid))
    server.kill()
"""
CHECKS = ("anam::BIND-01", "anam::SWAP-01", "anam::PLAY-01")
BOUND = 60.0
"""Seconds that all the checks may take together once the server is dead."""


def test_run_ends_without_its_server(tmp_path: Path) -> None:
    """Every check from then on is an error in bounded time, the run partial, nothing left over."""
    pytest.importorskip("livekit.plugins.anam", reason="the anam plugin is not installed")
    try:
        find_server()
    except ServerMissing as missing:
        if "LIVEKIT_SERVER" in os.environ:
            raise
        pytest.skip(f"the live stage did not run: {missing}")
    (tmp_path / "killer.py").write_text(KILLER, "utf-8")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    run = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "killer", "-p", "no:randomly", "-q"),
            *("--conformance", "--live", "--conformance-report", "report.json", *CHECKS),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path(__file__).parents[2])]),
            "TMPDIR": str(temporary),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 1, run.stdout
    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    results = [result for subject in report["subjects"] for result in subject["results"]]
    assert {result["id"]: (result["outcome"], result["reference"]) for result in results} == {
        "anam::BIND-01": ("passed", ""),
        "anam::SWAP-01[close-then-start]": ("error", STAGE_LOST),
        "anam::SWAP-01[start-then-close]": ("error", STAGE_LOST),
        "anam::PLAY-01": ("error", STAGE_LOST),
    }
    checks = report["timing"]["checks"]
    assert sum(checks.values()) < BOUND, checks
    assert report["partial"] is True
    assert report["why_partial"] == ["the LiveKit server was not there for 3 of the checks"]
    with pytest.raises(ProcessLookupError):
        os.killpg(int((tmp_path / "pid").read_text("utf-8")), 0)
    assert not list(temporary.glob("avatar-conformance-live-*"))
