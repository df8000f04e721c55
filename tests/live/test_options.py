"""``pytest --conformance --live`` and its options."""

from __future__ import annotations

from pathlib import Path

import pytest

import conformance.live.session  # noqa: F401  # numpy is loaded once for all runs in this process
from tests.conftest import Repository

NAMED = (
    *("--livekit-url", "ws://127.0.0.1:1"),
    *("--livekit-api-key", "key", "--livekit-api-secret", "secret"),
)


@pytest.fixture(autouse=True)
def _no_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("LIVEKIT_SERVER", "LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))


def test_report_names_the_live_stage(repository: Repository) -> None:
    """A run on a server that is named says so: in its head, and in the report."""
    result = repository.run(*NAMED, "--conformance-report", "r.json")
    result.stdout.fnmatch_lines(["avatar-conformance *, stage live, *"])
    assert repository.report()["stage"] == "live"


def test_run_without_live_options_is_on_the_loopback_stage(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LIVEKIT_URL in the environment alone makes no run a live one."""
    monkeypatch.setenv("LIVEKIT_URL", "wss://mine.example")
    repository.run("--conformance-report", "r.json")
    assert repository.report()["stage"] == "loopback"


def test_failure_is_repeated_on_the_live_stage(repository: Repository) -> None:
    """The command that repeats a check of a live run asks for the live stage."""
    repository.behave({"BIND-01": "fail"})
    result = repository.run(*NAMED)
    result.stdout.fnmatch_lines(["*pytest --conformance --live 'acme::BIND-01'"])


def test_missing_server_is_one_line_that_helps(repository: Repository) -> None:
    """--live without a server is a usage error that says how to get one."""
    result = repository.run("--live")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    lines = [line for line in result.stderr.lines if line.startswith("ERROR")]
    assert len(lines) == 1
    for way in ("--live: no LiveKit server found", "LIVEKIT_SERVER", "brew", "go install"):
        assert way in lines[0]


def test_live_reads_the_environment(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --live the environment names the server, and what it leaves out is said."""
    monkeypatch.setenv("LIVEKIT_URL", "wss://mine.example")
    result = repository.run("--live")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: LIVEKIT_URL needs --livekit-api-key*"])


def test_named_server_serves_one_process(repository: Repository) -> None:
    """Rooms have the same names in every process: a named server and -n exclude each other."""
    result = repository.run_in_process_of_its_own(*NAMED, "-n", "2")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: a LiveKit server that is named serves one process*"])


def test_checks_that_lost_the_server_make_the_run_partial(repository: Repository) -> None:
    """A check that has no verdict because the server was gone is an error, and the run partial."""
    repository.behave({"BIND-01": "lost"})
    result = repository.run(*NAMED, "--conformance-report", "r.json")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert repository.outcomes()["acme::BIND-01"] == "error"
    assert repository.report()["partial"] is True
    assert repository.report()["why_partial"] == [
        "the LiveKit server was not there for 1 of the checks"
    ]
