"""A hint belongs to the cause that was seen: plugins with one symptom and several causes."""

from __future__ import annotations

import pytest

from conformance.results.outcomes import Finding
from conformance.suite.scene.audio_evidence import NOT_THE_TAIL
from tests.mutants import load
from tests.mutants.mutant import MUTANTS
from tests.suite.check_runner import check_runner, subject_of

pytestmark = pytest.mark.filterwarnings("ignore")  # as in test_kill_mutants


def finding(mutant: str, requirement: str, variant: str) -> Finding:
    """Why a mutant fails a check."""
    load()
    subject = subject_of(MUTANTS[mutant].provider())
    check = next(c for c in subject.checks if c.requirement == requirement)
    result = check_runner(attribution=False).run(subject, check, variant)
    assert result.finding is not None, result
    return result.finding


@pytest.mark.parametrize(
    ("mutant", "known"),
    [
        ("gathers-and-forgets", "0.180 s were never sent before its buffer was cleared"),
        ("drops-the-first-frame", "were never sent"),
        ("plays-a-frame-twice", "were sent twice"),
    ],
)
def test_what_is_lost_or_doubled_behind_the_tail_is_told_without_a_fix(
    mutant: str, known: str
) -> None:
    """The sink was the tail, so that none of these is told to bind it."""
    found = finding(mutant, "SWAP-02", "close-then-start")
    assert found.expected.startswith("old and new avatar together hear every frame once")
    assert known in found.observed
    assert not found.hint


def test_a_sink_that_is_not_bound_in_time_is_told_so() -> None:
    """Where start() returns before the new sink is the tail, that is the cause, and has a fix."""
    found = finding("swaps-in-the-background", "SWAP-02", "close-then-start")
    assert "the new avatar had no tail of its own when start() returned" in found.observed
    assert found.hint == NOT_THE_TAIL


def test_a_position_is_called_pushed_only_where_it_is() -> None:
    """A position that is wrong for another reason gets no fix."""
    pushed = finding("ends-at-what-was-pushed", "SWAP-03", "close-then-start")
    assert pushed.hint == "count what was played, not what was pushed"
