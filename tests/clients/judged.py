"""Judging a small plugin by every check."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from conformance.plugin.provider import Provider
from conformance.results.outcomes import CheckResult, Outcome
from tests.suite.check_runner import check_runner, subject_of

GOOD = (Outcome.PASSED, Outcome.NOT_APPLICABLE)


@dataclass(frozen=True)
class Judged:
    """What every check says of a provider, and how many real seconds that took."""

    results: tuple[CheckResult, ...]
    seconds: float

    @property
    def bad(self) -> dict[str, str]:
        """What keeps the provider from robust, by check."""
        return {
            str(r.id): f"{r.outcome.value}: {r.finding.observed if r.finding else r.reason}"
            for r in self.results
            if r.outcome not in GOOD
        }

    @property
    def outcome(self) -> str:
        """The outcomes, each with its number."""
        counted = Counter(result.outcome.value for result in self.results)
        return ", ".join(f"{number} {outcome}" for outcome, number in sorted(counted.items()))


def judge(adapter: Any) -> Judged:
    """Run every check of an adapter's provider."""
    provider = Provider(adapter, label="client", origin="a test", source="file")
    subject, runner = subject_of(provider), check_runner()
    began = time.monotonic()
    results = tuple(
        runner.run(subject, check, variant)
        for check in subject.checks
        for variant in check.variants or (None,)
    )
    return Judged(results, time.monotonic() - began)
