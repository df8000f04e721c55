"""A run in the environment of a wheel counts by its report, however its process has ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.certificate import isolated_run
from conformance.certificate.environment import Environment
from conformance.certificate.isolated_run import SubprocessTrial
from conformance.certificate.loading import load_report
from conformance.errors import UsageError
from conformance.report.json_report import to_json
from conformance.results.json_input import Unreadable
from tests.certificate.certificate_sample import whole_run


def end_as(script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, list[str]]:
    """The report of a run whose process does what a shell script says; and what is said of it."""
    monkeypatch.setattr(isolated_run, "refusal", lambda: "a test")
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    said: list[str] = []
    folder = tmp_path / "run"
    folder.mkdir()
    (tmp_path / "whole.json").write_text(json.dumps(to_json(whole_run())))
    trial = SubprocessTrial(said.append)
    return trial.run(Environment(python, tmp_path), ("acme",), folder), said


@pytest.mark.parametrize("code", [0, 1, 3])
def test_a_run_without_a_report_is_none(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plugin that ends the process, with 0 as well, is not certified."""
    with pytest.raises(UsageError, match=f"exit code {code} and without a report: it certifies no"):
        end_as(f"exit {code}", tmp_path, monkeypatch)


def test_an_abrupt_end_changes_no_verdict_that_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host's own runtime may abort at exit: the report is whole, and says so itself."""
    report, said = end_as("cp ../whole.json report.json; kill -ABRT $$", tmp_path, monkeypatch)
    assert load_report(report).kit == whole_run().kit
    assert said[-1].endswith("after its report was written")


def test_half_a_report_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report that was cut off lacks its last field, and is refused."""
    cut = "head -c -40 ../whole.json > report.json; kill -KILL $$"
    report, _ = end_as(cut, tmp_path, monkeypatch)
    with pytest.raises(Unreadable, match="is no JSON"):
        load_report(report)
    data = {k: v for k, v in to_json(whole_run()).items() if k != "complete"}
    report.write_text(json.dumps(data))
    with pytest.raises(Unreadable, match="complete is missing"):
        load_report(report)
