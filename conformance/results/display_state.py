"""How an outcome is shown on the page: a word, a sign and a colour of its own for each."""

from __future__ import annotations

import enum
from collections.abc import Iterable

from .outcomes import CheckResult, Level, Outcome


class State(enum.Enum):
    """States of a check on the page, the gravest first.

    The value is the name in the page's markup; ``word`` is what is read out and printed. A SHOULD
    that does not hold has a sign of its own: nothing is held against the provider for it.
    """

    ERROR = "error"
    FAILED = "failed"
    NOT_RUN = "not-run"
    BLOCKED = "blocked"
    SHOULD = "should"
    EXPECTED = "expected-failure"
    PASSED = "passed"
    NOT_APPLICABLE = "not-applicable"

    @property
    def word(self) -> str:
        """The word for it."""
        return _WORDS[self]

    @property
    def meaning(self) -> str:
        """The sentence that explains it."""
        return _MEANINGS[self]


_WORDS = {
    State.ERROR: "error",
    State.FAILED: "failed",
    State.NOT_RUN: "not run",
    State.BLOCKED: "blocked",
    State.SHOULD: "failed SHOULD",
    State.EXPECTED: "expected failure",
    State.PASSED: "passed",
    State.NOT_APPLICABLE: "not applicable",
}
_MEANINGS = {
    State.ERROR: "The kit broke; nothing is said of the provider.",
    State.FAILED: "A MUST does not hold.",
    State.NOT_RUN: "The check was asked for and did not run; the run is partial.",
    State.BLOCKED: "It can't be judged while what it names fails.",
    State.SHOULD: "A recommendation is not met; it costs the tier 'robust' only.",
    State.EXPECTED: "It fails, and a known deviation says so until its last day.",
    State.PASSED: "It holds.",
    State.NOT_APPLICABLE: "A stated rule exempts this provider.",
}
_ORDER = tuple(State)


def state_of(result: CheckResult) -> State:
    """How one result is shown."""
    if result.outcome is Outcome.FAILED and result.level is Level.SHOULD:
        return State.SHOULD
    return State(result.outcome.value)


def worst(states: Iterable[State]) -> State:
    """The gravest of ``states``, of which there is at least one."""
    return min(states, key=_ORDER.index)
