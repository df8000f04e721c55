"""Check runners for tests, on the loopback stage."""

from __future__ import annotations

from conformance.loopback.stage import LoopbackRunner
from conformance.plugin.provider import Provider
from conformance.results.outcomes import CheckResult
from conformance.suite.registry import Check
from conformance.suite.runner.runner import CheckRunner
from conformance.suite.runner.subjects import Subject, subjects


def check_runner(*, seed: int | None = None, attribution: bool = True) -> CheckRunner:
    """A runner that has played nothing yet."""
    return CheckRunner(LoopbackRunner(), seed=seed, attribution=attribution)


def subject_of(provider: Provider, *peers: Provider) -> Subject:
    """``provider`` with every check for it, in a run with ``peers``."""
    return next(s for s in subjects([provider, *peers]) if s.provider is provider)


def run_check(subject: Subject, check: Check, variant: str | None = None) -> CheckResult:
    """The result of one check, by a runner of its own."""
    return check_runner().run(subject, check, variant)
