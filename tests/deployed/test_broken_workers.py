"""Workers on a real server, each a process of its own: what is broken is heard, and named."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from conformance.deployed.checks import CHECKS
from conformance.deployed.runner import LIMIT, DeployedRunner
from conformance.deployed.worker_alone import WorkerAlone
from conformance.live.launcher import LiveServer, ServerMissing
from conformance.live.stage import LiveRunner
from conformance.results.outcomes import CheckResult, Outcome
from conformance.suite.runner.subjects import Subject
from tests.deployed.caught import CAUGHT
from tests.deployed.worker import FAULTS

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def server() -> Iterator[LiveServer]:
    """A real server; tests that need one are skipped by this rule where there is none."""
    try:
        server = LiveServer.start()
    except ServerMissing as missing:
        if "LIVEKIT_SERVER" in os.environ:
            raise
        pytest.skip(f"the deployed stage did not run: {missing}")
    with server:
        yield server


def _judged(
    server: LiveServer,
    requirements: tuple[str, ...],
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
    attempts: int = 3,
) -> list[CheckResult]:
    monkeypatch.setenv("TEST_KEY", server.credentials.api_key)
    monkeypatch.setenv("TEST_SECRET", server.credentials.api_secret)
    worker = WorkerAlone((sys.executable, "-m", "tests.deployed.worker", fault))
    runner = DeployedRunner(
        LiveRunner.of(server.credentials, limit=LIMIT), {worker.name: worker}, attempts=attempts
    )
    subject = Subject(worker.name, tuple(CHECKS))
    return [runner.run(subject, c) for c in CHECKS if c.requirement in requirements]


def test_every_fault_is_caught_by_some_requirement() -> None:
    """The table has each fault that the worker of the tests can have."""
    assert set(CAUGHT) == set(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_broken_worker_is_caught_for_its_reason(
    server: LiveServer, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is broken in one way fails the requirement for that, and is told why."""
    requirement, words = CAUGHT[fault]
    (result,) = _judged(server, (requirement,), fault, monkeypatch, attempts=1)
    assert result.outcome is Outcome.FAILED, result
    assert result.finding is not None
    assert words in result.finding.observed


def test_robust_worker_meets_what_the_broken_ones_fail(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same worker without a fault passes each of those requirements."""
    asked = tuple(requirement for requirement, _ in CAUGHT.values())
    results = _judged(server, asked, "", monkeypatch)
    assert {str(r.id): (r.outcome, r.finding) for r in results} == {
        str(r.id): (Outcome.PASSED, None) for r in results
    }


def test_a_worker_that_ends_is_told_with_its_last_words(server: LiveServer) -> None:
    """A command that fails at once is no riddle: the check says how it ended."""
    worker = WorkerAlone((sys.executable, "-c", "raise SystemExit('no model')"))
    runner = DeployedRunner(LiveRunner.of(server.credentials), {"worker": worker}, attempts=1)
    (first,) = (c for c in CHECKS if c.requirement == "WORK-01")
    result = runner.run(Subject("worker", tuple(CHECKS)), first)
    assert result.finding is not None
    assert "ended with 1: no model" in result.finding.observed
