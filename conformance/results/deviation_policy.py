"""Known deviations put to use: which failures they excuse, and which of them are out of order."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from conformance.results.deviation import Deviation

from .outcomes import CheckId, CheckResult, Outcome
from .run import DeviationState, DeviationUse


@dataclass(frozen=True)
class ListedDeviation:
    """A deviation and where it is written: an adapter's origin, or a file."""

    deviation: Deviation
    origin: str


@dataclass(frozen=True)
class DeviationPolicy:
    """The deviations of one provider, for one version of it and of the host, on one day.

    ``live`` is true on a real server, where a part of what fails on the loopback stage passes: a
    deviation is not found to be stale there.
    """

    listed: tuple[ListedDeviation, ...] = ()
    known: Collection[str] = ()
    plugin_version: str | None = None
    host_version: str | None = None
    today: date = date.max
    live: bool = False

    def apply(self, result: CheckResult) -> CheckResult:
        """The result, turned into an expected failure where an unexpired deviation covers it."""
        if result.outcome is not Outcome.FAILED:
            return result
        for listed in self.listed:
            deviation = listed.deviation
            if self._covers(deviation, result.id) and not deviation.expired(self.today):
                return replace(
                    result,
                    outcome=Outcome.EXPECTED_FAILURE,
                    reason=deviation.reason,
                    reference=deviation.reference,
                )
        return result

    def uses(
        self, expected: Sequence[CheckId], results: Sequence[CheckResult]
    ) -> tuple[DeviationUse, ...]:
        """The use of each deviation, given the results as `apply` left them."""
        return tuple(
            DeviationUse(
                requirement=listed.deviation.requirement,
                variants=listed.deviation.variants,
                reason=listed.deviation.reason,
                reference=listed.deviation.reference,
                owner=listed.deviation.owner,
                expires=listed.deviation.expires.isoformat(),
                host=listed.deviation.host,
                plugin=listed.deviation.plugin,
                origin=listed.origin,
                state=self._state(listed.deviation, expected, results),
                passing=self._passing(listed.deviation, results),
            )
            for listed in self.listed
        )

    def _covers(self, deviation: Deviation, check_id: CheckId) -> bool:
        return deviation.matches(check_id, self.plugin_version, self.host_version)

    def _state(
        self, deviation: Deviation, expected: Sequence[CheckId], results: Sequence[CheckResult]
    ) -> DeviationState:
        if deviation.requirement not in self.known:
            return "unknown"
        covered = [check_id for check_id in expected if self._covers(deviation, check_id)]
        if covered and deviation.expired(self.today):
            return "expired"
        if self._passing(deviation, results):
            return "stale"
        if any(
            r.outcome is Outcome.EXPECTED_FAILURE for r in results if self._covers(deviation, r.id)
        ):
            return "used"
        return "unused"

    def _passing(self, deviation: Deviation, results: Sequence[CheckResult]) -> tuple[str, ...]:
        if self.live:
            return ()
        return tuple(
            str(result.id)
            for result in results
            if result.outcome is Outcome.PASSED and self._covers(deviation, result.id)
        )
