"""A tier is earned, never excused: plugins whose adapters expect every failure, really judged."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.certificate.issuing import Issued, Request, certify
from conformance.certificate.loading import load_report
from conformance.cli import main
from conformance.results.run import Run
from tests.certificate.certificate_sample import DIST, FakeInstaller, FakeIsolatedRun, make_wheel
from tests.certificate.excused_plugins import (
    Excused,
    NeverStartsAdapter,
    ReplacesTheChainAdapter,
)

ROOT = Path(__file__).resolve().parents[2]
HOOKS = ("avatar_provider_manifest", "create_avatar", "vendor_backend", "known_deviations")


def run(adapter: type[Excused], folder: Path) -> subprocess.CompletedProcess[str]:
    """Judge the plugin of an adapter in a repository of its own, with report and badge."""
    folder.mkdir()
    lines = [
        f"from tests.certificate.excused_plugins import {adapter.__name__}",
        f"_adapter = {adapter.__name__}()",
        *(f"{hook} = _adapter.{hook}" for hook in HOOKS),
    ]
    (folder / "conformance_adapter.py").write_text("\n".join(lines))
    (folder / "pytest.ini").write_text("[pytest]\n")
    options = ["--conformance", "-q", "-p", "no:cacheprovider", "-p", "no:randomly"]
    files = ["--conformance-report=report.json", "--conformance-badge=badge.json"]
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files],
        cwd=folder,
        env={**kept, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def issued_for(report: Path, folder: Path) -> Issued:
    """What `certify` makes of a report, as if it were of the wheel that it was given."""
    judged = load_report(report)
    about = tuple(
        replace(subject, distribution=DIST, version="1.0")
        if subject.kind == "provider"
        else subject
        for subject in judged.subjects
    )
    given: Run = replace(judged, subjects=about)
    request = Request(DIST, folder / "out", make_wheel(folder / "dist"))
    return certify(request, FakeInstaller(), FakeIsolatedRun(given))


@pytest.mark.parametrize(
    ("adapter", "failures"), [(NeverStartsAdapter, 2), (ReplacesTheChainAdapter, 36)]
)
def test_expecting_every_failure_earns_nothing(
    adapter: type[Excused], failures: int, tmp_path: Path
) -> None:
    """A plugin that never starts, and one that breaks every swap: no tier, and nothing green."""
    ran = run(adapter, tmp_path / "run")
    report = tmp_path / "run" / "report.json"
    data: dict[str, Any] = json.loads(report.read_text("utf-8"))
    (acme,) = (subject for subject in data["subjects"] if subject["name"] == "acme")
    assert acme["tier"] == "none"
    assert acme["ledger"]["failed"] == acme["ledger"]["error"] == 0
    assert acme["ledger"]["expected-failure"] >= failures
    assert "no tier" in ran.stdout
    badge = json.loads((tmp_path / "run" / "badge.json").read_text("utf-8"))
    assert (badge["color"], badge["message"]) == ("red", f"no tier ({data['revision']})")

    issued = issued_for(report, tmp_path)
    assert issued.path is not None
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert [name for name in written if "jsonl" in name] == [
        "livekit-plugins-acme-1.0.known-failures.intoto.jsonl"
    ]
    assert json.loads((tmp_path / "out" / written[0]).read_text("utf-8"))["color"] == "red"
    assert main(["verify", str(issued.path), "--allow-unsigned"]) == 1


OF_ANAM = """
import datetime
from conformance.plugin import Deviation, hookimpl
from vendor_adapters.anam import *
from vendor_adapters.anam import avatar_provider_manifest, create_avatar, vendor_backend

FAILING = {failing!r}
EXPIRES = datetime.date.today() + datetime.timedelta(days=365)


@hookimpl
def known_deviations():
    told = ("it has always been so", "https://example.test/1", "anam", EXPIRES)
    return [Deviation(name, *told) for name in FAILING]
"""
FAILING = (
    *("BIND-02", "BIND-15", "UNBIND-05", "UNBIND-08", "UNBIND-11"),
    *(f"SWAP-{n:02}" for n in (1, 2, 3, 4, 5, 6, 7, 9, 11, 13)),
    *(f"PLAY-{n:02}" for n in (2, 3, 6, 7, 8, 9, 12, 13)),
    *("FAULT-04", "FAULT-05", "FAULT-08"),
)


@pytest.mark.installs
def test_a_published_plugin_that_breaks_every_swap_is_not_excused(tmp_path: Path) -> None:
    """livekit-plugins-anam 1.6.0, with a deviation for whatever it fails. Needs an index."""
    adapter = tmp_path / "conformance_adapter.py"
    adapter.write_text(OF_ANAM.format(failing=FAILING))
    out = tmp_path / "out"
    wheel = ["livekit-plugins-anam==1.6.0", "--adapter", str(adapter), "--out", str(out)]
    assert main(["certify", *wheel]) == 1
    written = {path.name.removeprefix("livekit-plugins-anam-1.6.0.") for path in out.iterdir()}
    assert written == {"badge.json", "known-failures.intoto.jsonl", "report.json"}
    (badge,) = out.glob("*.badge.json")
    assert json.loads(badge.read_text("utf-8"))["color"] == "red"
    (failures,) = out.glob("*.intoto.jsonl")
    assert main(["verify", str(failures), "--allow-unsigned"]) == 1
