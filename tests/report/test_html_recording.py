"""What a swap records for its picture: the audio that each tail is given, whom it is sent to."""

from __future__ import annotations

from itertools import pairwise

import pytest

from conformance.results.outcomes import CheckResult, Outcome
from conformance.results.timeline import Event
from conformance.suite.runner.reference import reference_provider
from conformance.suite.runner.subjects import subjects
from tests.suite.check_runner import run_check

pytestmark = pytest.mark.needs("livekit-agents>=1.6.1")


@pytest.fixture(scope="module")
def swapped() -> CheckResult:
    """SWAP-02 of the reference provider: swapped one second into a speech of three."""
    provider = reference_provider()
    subject = next(s for s in subjects([provider]) if s.provider is provider)
    check = next(c for c in subject.checks if c.requirement == "SWAP-02")
    result = run_check(subject, check, "close-then-start")
    assert result.outcome is Outcome.PASSED
    return result


def of_tail(result: CheckResult, subject: str) -> list[Event]:
    """The events of one tail."""
    return [e for e in result.events if e.lane == "tail" and e.subject == subject]


@pytest.mark.needs("livekit-agents>1.8.0")
def test_both_tails_together_are_given_the_whole_speech(swapped: CheckResult) -> None:
    """Old and new tail each have a bar, and their seconds add up to the speech."""
    bars = {name: of_tail(swapped, name) for name in ("old", "new")}
    assert [e.kind for e in bars["old"]][:2] == ["captured", "flushed"]
    assert [e.kind for e in bars["new"]] == ["captured", "flushed"]
    given = [float(str(e.detail["seconds"])) for some in bars.values() for e in some if e.detail]
    assert sum(given) == pytest.approx(3.0)


def test_change_of_the_chain_is_recorded_once(swapped: CheckResult) -> None:
    """The wrappers' lane shows the chain where it has changed, and only there."""
    chains = [str(e.detail["outputs"]) for e in swapped.events if e.kind == "chain"]
    assert chains
    assert all(before != after for before, after in pairwise(chains))


def test_stream_names_whom_it_is_for(swapped: CheckResult) -> None:
    """An audio stream to the old avatar and one to the new can be told apart."""
    to = [
        e.detail["to"]
        for e in swapped.events
        if e.kind == "stream-opened" and e.detail["topic"] == "lk.audio_stream"
    ]
    assert to == ["old-reference", "new-reference"]


def test_end_of_the_check_is_recorded_before_what_it_leaves_is_closed(swapped: CheckResult) -> None:
    """The picture ends where the check did; what comes after is clearing up."""
    kinds = [(e.lane, e.kind) for e in swapped.events]
    over = kinds.index(("check", "over"))
    assert kinds.index(("agent", "playback_finished")) < over
    assert ("room", "left") in kinds[over:]
