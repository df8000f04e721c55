"""The strips of the HTML report: what was heard of a segment against what was sent."""

from __future__ import annotations

import pytest

from conformance.report.strips import strips
from conformance.results.outcomes import CheckId, CheckResult, Level, Outcome
from conformance.results.run import Run, Selection, SubjectRun
from conformance.results.timeline import Event


def _run(blocks: str, sent: int, *, cleared: bool = False) -> Run:
    check = CheckId("worker", "WORK-03")
    event = Event(
        2.0, "worker", "heard", "segment 1", {"sent": sent, "blocks": blocks, "cleared": cleared}
    )
    results = (CheckResult(check, Level.MUST, Outcome.PASSED, events=(event, event)),)
    subject = SubjectRun("worker", "provider", (check,), results)
    return Run("0", "r", "3", {}, "deployed", None, Selection(), {}, (subject,))


@pytest.mark.parametrize(
    ("blocks", "cleared", "states", "words"),
    [
        ("0 1 2 3", False, "heard heard heard heard", "4 of 4 blocks heard"),
        ("0 3", False, "heard gap gap heard", "2 of 4 blocks heard, 2 missing"),
        ("0 1 1 2 3", False, "heard repeat heard heard", "4 of 4 blocks heard, 1 repeated"),
        ("0 1", True, "heard heard dropped dropped", "2 of 4 blocks heard"),
        ("", False, "gap gap gap gap", "0 of 4 blocks heard, 4 missing"),
    ],
)
def test_each_block_has_the_state_that_was_heard(
    blocks: str, cleared: bool, states: str, words: str
) -> None:
    """A gap and a repeat are told from what was heard, and from what an interruption dropped."""
    (strip,) = strips(_run(blocks, 4, cleared=cleared))
    assert [block.state for block in strip.blocks] == states.split()
    assert strip.words == words
