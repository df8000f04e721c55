"""Controls of a run: known broken providers, judged beside the plugin in the same process.

A plugin runs in the process that judges it, and can patch what judges it. So some of its checks,
nobody knows beforehand which, are judged for a provider under the same name that is known to fail
them. One that does not fail there shows that the run judges nobody.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from conformance.plugin.provider import Provider
from conformance.reference.broken import BROKEN, BrokenAdapter, BrokenAvatar
from conformance.results.outcomes import CheckId, CheckResult, Outcome
from conformance.suite.registry import Check

from .subjects import Subject

OF_EACH = 3
"""Checks that each broken provider is judged by, for each provider of the run."""
_NO_API_FOR = "socket"  # the reference vendor has no WebSocket: faults of one do not apply


class Runner(Protocol):
    """Interface of a check runner."""

    def run(self, subject: Subject, check: Check, variant: str | None = None) -> CheckResult:
        """Run one check of ``subject`` and say what became of it."""


@dataclass(frozen=True)
class Controls:
    """The checks at which a broken provider is judged as well, and which one."""

    chosen: Mapping[CheckId, type[BrokenAvatar]]

    @classmethod
    def among(cls, checks: Iterable[CheckId]) -> Controls:
        """Choose among the checks of a run, by the system's own randomness."""
        dice = random.SystemRandom()
        everything = tuple(checks)
        chosen: dict[CheckId, type[BrokenAvatar]] = {}
        for provider in dict.fromkeys(check.provider for check in everything):
            for broken in BROKEN:
                fitting = [c for c in everything if c.provider == provider and _seen(broken, c)]
                chosen |= dict.fromkeys(dice.sample(fitting, min(OF_EACH, len(fitting))), broken)
        return cls(chosen)

    def judge_around(
        self, runner: Runner, subject: Subject, check: Check, variant: str | None
    ) -> CheckResult:
        """The result of a check; an error where a control beside it, before or after, passes."""
        broken = self.chosen.get(CheckId(subject.name, check.requirement, variant))
        if broken is None:
            return runner.run(subject, check, variant)
        before = random.SystemRandom().random() < 0.5
        problem = _problem(runner, broken, subject, check, variant) if before else ""
        result = runner.run(subject, check, variant)
        if not before:
            problem = _problem(runner, broken, subject, check, variant)
        if not problem:
            return result
        return replace(
            result, outcome=Outcome.ERROR, finding=None, reason=problem, blocked_by=None, error=None
        )


def _seen(broken: type[BrokenAvatar], check: CheckId) -> bool:
    return check.requirement in broken.seen_by and _NO_API_FOR not in (check.variant or "")


def _problem(
    runner: Runner,
    broken: type[BrokenAvatar],
    subject: Subject,
    check: Check,
    variant: str | None,
) -> str:
    """Why the runner cannot be believed; empty where the broken provider fails as it must."""
    adapter = BrokenAdapter(broken, subject.name)
    provider = Provider(adapter, label=subject.name, origin="a control", source="bundled")
    control = replace(subject, provider=provider, peers={subject.name: provider})
    outcome = runner.run(control, check, variant).outcome
    if outcome is Outcome.FAILED:
        return ""
    return (
        f"a provider that is known to fail this check ({broken.__name__}) came out "
        f"{outcome.value} beside it: the run judges nobody"
    )


__all__ = ["OF_EACH", "Controls"]
