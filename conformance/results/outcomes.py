"""The words of a result: level, outcome, and what one check found."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field

from .timeline import Event


class Level(enum.Enum):
    """How binding a requirement is."""

    MUST = "must"
    SHOULD = "should"


class Outcome(enum.Enum):
    """What became of one check. ``error`` means that the kit broke, never that a provider did."""

    PASSED = "passed"
    FAILED = "failed"
    EXPECTED_FAILURE = "expected-failure"
    NOT_APPLICABLE = "not-applicable"
    BLOCKED = "blocked"
    ERROR = "error"


@dataclass(frozen=True)
class CheckId:
    """The name of one check of one provider: ``anam::SWAP-02[close-then-start]``."""

    provider: str
    requirement: str
    variant: str | None = None

    def __str__(self) -> str:
        suffix = f"[{self.variant}]" if self.variant else ""
        return f"{self.provider}::{self.requirement}{suffix}"


@dataclass(frozen=True)
class Finding:
    """Why a check failed: what the requirement expects, what was seen, what is likely to mend it.

    ``at`` is the moment it went wrong, in seconds by the stage's clock, where there is one.
    """

    expected: str
    observed: str
    hint: str = ""
    at: float | None = None


@dataclass(frozen=True)
class CheckResult:
    """What became of one check.

    ``reason`` says why there is no plain verdict: the rule for not-applicable, the check that
    blocks, the deviation's reason for an expected failure, the kit's own error.
    """

    id: CheckId
    level: Level
    outcome: Outcome
    finding: Finding | None = None
    reason: str = ""
    reference: str = ""
    events: Sequence[Event] = field(default_factory=tuple)
    simulated_seconds: float = 0.0


class Violation(AssertionError):
    """Raised by a check when the provider does not do what the requirement says."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(f"expected {finding.expected}; observed {finding.observed}")


class ProviderRaised(Violation):
    """Raised when the provider's own code raised ``error`` where it should have worked."""

    def __init__(self, what: str, error: Exception, hint: str = "") -> None:
        self.error = error
        super().__init__(Finding(what, f"{type(error).__name__}: {error}", hint))


class NotApplicable(Exception):
    """Raised by a check that a stated rule exempts this provider from."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        super().__init__(rule)


class Blocked(Exception):
    """Raised when a check cannot be judged because another one, named here, did not hold."""

    def __init__(self, by: str, why: str) -> None:
        self.by = by
        self.why = why
        super().__init__(f"blocked by {by}: {why}")
