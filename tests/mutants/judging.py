"""Judging mutants: raw verdicts of checks, and whether a mutant was killed as it says."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from conformance.loopback.stage import LoopbackRunner
from conformance.plugin.provider import Provider
from conformance.results.outcomes import CheckResult, Outcome
from conformance.suite.registry import Check
from conformance.suite.runner.runner import CheckRunner
from conformance.suite.runner.subjects import Subject, subjects
from conformance.suite.scene.host_chain import SwapMechanism

from .mutant import Effect, Kill


@dataclass(frozen=True)
class Verdict:
    """What one check said of one subject. ``says`` is empty unless it failed.

    ``missing`` names the changed functions that did not run; None where nobody asks.
    """

    check: str
    variant: str | None
    outcome: Outcome
    says: str = ""
    missing: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The check's id, with its variant."""
        return f"{self.check}[{self.variant}]" if self.variant else self.check

    @property
    def failed(self) -> bool:
        """Whether the check failed."""
        return self.outcome is Outcome.FAILED


def judge(
    subject: Subject,
    *,
    only: frozenset[str] | None = None,
    effect: Effect | None = None,
    seed: int | None = None,
) -> tuple[Verdict, ...]:
    """Every check's verdict on ``subject``; ``only`` names requirements to run."""
    effect = effect or Effect()
    verdicts = []
    for check in subject.checks:
        if only is not None and check.requirement not in only:
            continue
        for variant in check.variants or (None,):
            effect.ran.clear()
            result = raw(subject, check, variant, seed=seed)
            verdicts.append(_verdict(check, variant, result, tuple(effect.missing)))
    return tuple(verdicts)


def raw(
    subject: Subject, check: Check, variant: str | None, seed: int | None = None
) -> CheckResult:
    """What a check says, whoever else fails it; leaves the process as it was."""
    with _untouched():
        return _runner(seed).run(subject, check, variant)


@functools.lru_cache(maxsize=2)
def _runner(seed: int | None) -> CheckRunner:
    """A runner that plays once what several mutants share, as the reference provider's part."""
    return CheckRunner(LoopbackRunner(), seed=seed, attribution=False)


def subject_of(provider: Provider) -> Subject:
    """A provider, and every check for it."""
    (subject,) = (s for s in subjects([provider]) if s.provider is provider)
    return subject


def chain_subject(kit: SwapMechanism, name: str) -> Subject:
    """A way to exchange the tail of a chain, and every check for it."""
    host, *_ = subjects([])
    return Subject(name, host.checks, kit=kit)


def _verdict(
    check: Check, variant: str | None, result: CheckResult, missing: tuple[str, ...]
) -> Verdict:
    says = result.reason
    if result.finding is not None:
        says = f"expected {result.finding.expected}; observed {result.finding.observed}"
    return Verdict(check.requirement, variant, result.outcome, says, missing)


def complaints(name: str, kills: Sequence[Kill], verdicts: Sequence[Verdict]) -> Iterator[str]:
    """What is wrong with the way in which a mutant was killed, one line each."""
    for kill in kills:
        wanted = [
            v for v in verdicts if v.check == kill.requirement and kill.variant in (None, v.variant)
        ]
        failed = [v for v in wanted if v.failed]
        if not failed:
            seen = ", ".join(sorted({v.outcome.value for v in wanted})) or "there is no such check"
            yield f"{name}: {kill} was to fail, and did not: {seen}"
        elif not any(kill.says in v.says for v in failed):
            yield f"{name}: {kill} fails for another reason than {kill.says!r}: {failed[0].says}"
        elif all(v.missing for v in failed if kill.says in v.says):
            changed = ", ".join(failed[0].missing)
            yield f"{name}: the change took no effect in {kill}: {changed} did not run"


def killed(kills: Sequence[Kill], verdicts: Sequence[Verdict]) -> frozenset[str]:
    """The checks, variants included, that failed for a reason that the mutant states."""
    return frozenset(
        v.name
        for v in verdicts
        for kill in kills
        if v.failed and v.check == kill.requirement and kill.says in v.says
    )


@contextmanager
def _untouched() -> Iterator[None]:
    """Undo what a mutant that is being imported does to the process."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    environment = dict(os.environ)
    hook = sys.excepthook
    signals = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        policy: Any = asyncio.get_event_loop_policy()
        try:
            yield
        finally:
            if asyncio.get_event_loop_policy() is not policy:
                asyncio.set_event_loop_policy(policy)
            for number, handler in signals.items():
                if signal.getsignal(number) is not handler:
                    signal.signal(number, handler)
            sys.excepthook = hook
            if dict(os.environ) != environment:
                os.environ.clear()
                os.environ.update(environment)
            root.setLevel(level)
            root.handlers[:] = handlers
