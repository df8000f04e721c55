"""Broken providers on a real server: found out there as on the loopback stage."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from conformance.live.launcher import ServerMissing
from conformance.live.session import LiveSession
from conformance.loopback.stage import LoopbackRunner
from conformance.results.outcomes import CheckResult, Outcome
from conformance.stage.interface import StageRunner
from conformance.suite.runner.runner import CheckRunner
from tests.mutants import load
from tests.mutants.judging import subject_of
from tests.mutants.mutant import MUTANTS, Kill

load()

# what a broken provider leaves open is collected as garbage in the middle of a later test
pytestmark = pytest.mark.filterwarnings("ignore")

TOLD_APART = (
    ("binds-nothing", "BIND-01"),
    ("raw-assignment", "BIND-02"),
    ("wrong-sample-rate", "BIND-04"),
    ("token-with-admin-grant", "BIND-05"),
    ("old-avatar-hears-on", "SWAP-01"),
    ("plays-a-frame-twice", "SWAP-02"),
    ("ends-as-played", "SWAP-03"),
    ("foreign-tail-clobbered", "UNBIND-03"),
    ("leaves-a-task", "UNBIND-04"),
    ("never-ends-the-session", "UNBIND-05"),
    ("removes-the-agent", "UNBIND-09"),
    ("finished-at-half", "PLAY-02"),
    ("worker-reports-zero", "PLAY-02"),
    ("trusts-any-caller", "PLAY-05"),
    ("cancelled-start-left-bound", "FAULT-06"),
)
"""Mutants, each with a check that kills it and takes seconds."""


@pytest.fixture(scope="module")
def live() -> Iterator[StageRunner]:
    """A real server; tests that need one are skipped by this rule where there is none."""
    try:
        session = LiveSession()
    except ServerMissing as missing:
        if "LIVEKIT_SERVER" in os.environ:
            raise
        pytest.skip(f"the live stage did not run: {missing}")
    yield session
    session.close()


@pytest.mark.parametrize(("name", "requirement"), TOLD_APART)
def test_broken_provider_is_found_out_on_a_real_server(
    live: StageRunner, name: str, requirement: str
) -> None:
    """The check that kills a mutant on the loopback stage kills it live, in the same words."""
    kill = next(kill for kill in MUTANTS[name].kills if kill.requirement == requirement)
    assert _killed(name, kill, None)
    assert _killed(name, kill, live)


def _killed(name: str, kill: Kill, stage: StageRunner | None) -> bool:
    """Whether a variant of the check fails for the reason that the mutant states."""
    subject = subject_of(MUTANTS[name].provider())
    (check,) = (c for c in subject.checks if c.requirement == kill.requirement)
    runner = CheckRunner(stage or LoopbackRunner(), attribution=False)
    for variant in check.variants or (None,):
        if kill.variant in (None, variant):
            result = runner.run(subject, check, variant)
            if result.outcome is Outcome.FAILED and kill.says in _says(result):
                return True
    return False


def _says(result: CheckResult) -> str:
    assert result.finding is not None
    return f"{result.finding.expected}; observed {result.finding.observed}"
