"""The words of a result: level, outcome, and what one check found."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from conformance.errors import exception_text

from .timeline import Event


class Level(enum.Enum):
    """How binding a requirement is."""

    MUST = "must"
    SHOULD = "should"


class Outcome(enum.Enum):
    """Outcome of one check. ``error`` means that the kit broke, never that a provider did."""

    PASSED = "passed"
    FAILED = "failed"
    EXPECTED_FAILURE = "expected-failure"
    NOT_APPLICABLE = "not-applicable"
    BLOCKED = "blocked"
    ERROR = "error"

    @property
    def unexpected(self) -> bool:
        """Whether it is a failure that no deviation lists, or an error."""
        return self in (Outcome.FAILED, Outcome.ERROR)


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
class HostDefectRef:
    """The host defect that blocks a check, shown as ``host::HD-02``; ``text`` is its symptom."""

    id: str
    text: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"host::{self.id}"


Blocker = CheckId | HostDefectRef
"""The cause of a blocked check: another check, or a defect of the host."""


def blocker_from_text(text: str) -> Blocker:
    """The blocker that ``text`` is the written form of; raises `ValueError` when it is none."""
    subject, separator, name = text.partition("::")
    if not separator or not subject or not name:
        raise ValueError(f"{text!r} names neither a check nor a host defect")
    if subject == "host" and name.startswith("HD-"):
        return HostDefectRef(name)
    requirement, bracket, variant = name.partition("[")
    if bool(bracket) != variant.endswith("]"):
        raise ValueError(f"{text!r} names neither a check nor a host defect")
    return CheckId(subject, requirement, variant[:-1] or None)


@dataclass(frozen=True)
class CheckResult:
    """Result of one check.

    ``reason`` says why there is no plain verdict: the rule for not-applicable, what blocks in
    words, the deviation's reason for an expected failure, the kit's own error. ``blocked_by`` is
    what blocks; it is set for a blocked result and for no other. ``error`` is what was raised, for
    a debugger; it is not serialised. ``mended_by`` are the host defects, by id, that the host was
    mended of when the check was played. ``tried`` counts what the check tried, by kind (requests,
    faults, secrets ...). Raises `ValueError` for a result that contradicts itself.
    """

    id: CheckId
    level: Level
    outcome: Outcome
    finding: Finding | None = None
    reason: str = ""
    reference: str = ""
    events: Sequence[Event] = field(default_factory=tuple)
    simulated_seconds: float = 0.0
    blocked_by: Blocker | None = None
    error: BaseException | None = field(default=None, compare=False, repr=False)
    mended_by: tuple[str, ...] = ()
    tried: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.outcome is Outcome.BLOCKED) != (self.blocked_by is not None):
            raise ValueError(f"{self.id}: {self.outcome.value}, blocked by {self.blocked_by}")

    def of_pair_with(self, provider: str) -> bool:
        """Whether it is about a swap to ``provider``, as ``anam::SWAP-09[to-did]`` is."""
        return self.id.variant == f"to-{provider}"


class Violation(AssertionError):
    """Raised by a check when the provider does not do what the requirement says."""

    def __init__(self, finding: Finding) -> None:
        self.finding = finding
        super().__init__(f"expected {finding.expected}; observed {finding.observed}")


class ProviderRaised(Violation):
    """Raised when the provider's own code raised ``error`` where it should have worked."""

    def __init__(self, what: str, error: Exception, hint: str = "") -> None:
        self.error = error
        super().__init__(Finding(what, exception_text(error), hint))


class NotApplicable(Exception):
    """Raised by a check that a stated rule exempts this provider from."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        super().__init__(rule)


class Blocked(Exception):
    """Raised when a check cannot be judged because another requirement, ``by``, did not hold."""

    def __init__(self, by: str, why: str) -> None:
        self.by = by
        self.why = why
        super().__init__(f"blocked by {by}: {why}")
