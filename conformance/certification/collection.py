"""Pytest collectors and items: one collector a subject, one item a check."""

from __future__ import annotations

import dataclasses
import inspect
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from conformance.errors import exception_text
from conformance.report.failure_text import failure_text, headline
from conformance.results.deviation_policy import DeviationPolicy
from conformance.results.outcomes import CheckResult, Level, Outcome, Violation
from conformance.results.plain_text import plain, plain_result
from conformance.results.run import LOOPBACK, Selection, repeat_command

from .plan import PlannedCheck

if TYPE_CHECKING:
    from conformance.suite.registry import Check
    from conformance.suite.runner.controls import Controls
    from conformance.suite.runner.subjects import Subject


class Runner(Protocol):
    """Interface of a check runner: `conformance.suite.runner.runner.CheckRunner`."""

    def run(self, subject: Subject, check: Check, variant: str | None = None) -> CheckResult:
        """Run one check of ``subject`` and say what became of it."""


@dataclass(frozen=True)
class Execution:
    """How the items of one subject run their checks."""

    excuses: DeviationPolicy
    runner: Runner
    seed: int | None
    revision: str
    selection: Selection
    stage: str = LOOPBACK
    controls: Controls | None = None
    """Known broken providers that are judged beside it; None: none are."""


_LONGEST_TRACE = 20_000
"""Characters of a traceback that is printed."""

HOST = "host"
"""The subject whose expected failures are its listed defects."""


class SubjectCollector(pytest.Collector):
    """The checks of one subject, as ``anam``."""

    planned: tuple[PlannedCheck, ...]
    execution: Execution

    @classmethod
    def make(
        cls, session: pytest.Session, planned: tuple[PlannedCheck, ...], execution: Execution
    ) -> SubjectCollector:
        """The collector of these checks, which are all of one subject."""
        name = planned[0].id.provider
        collector: SubjectCollector = cls.from_parent(
            session, name=name, path=session.config.rootpath, nodeid=name
        )
        collector.planned = planned
        collector.execution = execution
        return collector

    def collect(self) -> Iterator[CheckItem]:
        """One item for each check."""
        for planned in self.planned:
            yield CheckItem.make(self, planned, self.execution)


class CheckItem(pytest.Item):
    """One check, as ``anam::SWAP-02[close-then-start]``."""

    planned: PlannedCheck
    execution: Execution
    result: CheckResult | None = None

    @classmethod
    def make(
        cls, parent: SubjectCollector, planned: PlannedCheck, execution: Execution
    ) -> CheckItem:
        """The item of one check."""
        item: CheckItem = cls.from_parent(parent, name=str(planned.id).partition("::")[2])
        item.planned = planned
        item.execution = execution
        item.add_marker(pytest.mark.filterwarnings(*_neutral_warnings()))
        return item

    def runtest(self) -> None:
        """Run the check; what it raised goes on when its failure is not an expected one."""
        planned = self.planned
        try:
            with _kit_unheard():
                result = self._judged(planned)
        except Exception as error:
            # Whatever the runner lets through is an error of the kit, and a result all the same.
            self._conclude(_error(planned, exception_text(error)))
            raise
        raised = result.error
        # what was raised holds every frame of the check: it must not outlive the report
        self._conclude(self.execution.excuses.apply(dataclasses.replace(result, error=None)))
        if self.result and self.result.outcome.unexpected:
            raise raised or CheckFailed(self.result)

    def _judged(self, planned: PlannedCheck) -> CheckResult:
        check = (planned.subject, planned.check, planned.id.variant)
        execution = self.execution
        if execution.controls is None:
            return execution.runner.run(*check)
        return execution.controls.judge_around(execution.runner, *check)

    def conclude_without_running(self, why: str) -> None:
        """Give the result of a check that was kept from running by something else in pytest."""
        self._conclude(_error(self.planned, why))

    def _conclude(self, result: CheckResult) -> None:
        self.result = result = plain_result(result)
        facts = self.planned.facts
        self.user_properties += [
            ("provider", result.id.provider),
            ("requirement", facts.id),
            ("level", facts.level.value),
            ("capability", facts.capability or ""),
            ("revision", self.execution.revision),
            ("outcome", result.outcome.value),
        ]

    def repr_failure(
        self,
        excinfo: pytest.ExceptionInfo[BaseException],
        style: Any = None,
    ) -> str | Any:
        """The failure as a vendor reads it; the traceback beside it for an error of the kit."""
        if self.result is None:
            return super().repr_failure(excinfo, style)
        text = self.failure_text()
        if isinstance(excinfo.value, (Violation, CheckFailed)):
            return text
        trace = excinfo.getrepr(style="short", tbfilter=lambda e: e.traceback.cut(path=__file__))
        return f"{text}\n\n{plain(str(trace), _LONGEST_TRACE)}"

    def failure_text(self) -> str:
        """The result as a vendor reads it; the check must have one."""
        assert self.result is not None, "the check has not been judged"
        execution = self.execution
        repeat = repeat_command(
            self.result.id,
            execution.selection,
            execution.seed,
            stage=execution.stage,
        )
        return failure_text(self.result, self.planned.facts, repeat)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where the check is written, and its id."""
        function = inspect.unwrap(self.planned.check.function)
        code = getattr(function, "__code__", None)
        if code is None:
            return self.path, None, self.nodeid
        return Path(code.co_filename), code.co_firstlineno - 1, self.nodeid


class CheckFailed(AssertionError):
    """A check came out failed without having raised in this process's sight."""

    def __init__(self, result: CheckResult) -> None:
        super().__init__(result.finding.observed if result.finding else result.reason)


def outcome_for_pytest(result: CheckResult, *, scored: bool) -> tuple[str, str | None]:
    """How pytest is to count a result, and what it then calls the reason.

    A failed SHOULD, and whatever becomes of a requirement that is not scored, are no failures to
    pytest: neither ``-x`` nor the exit code takes notice of them.
    """
    if result.outcome is Outcome.PASSED:
        return "passed", None
    if not result.outcome.unexpected:
        return "skipped", f"{result.outcome.value}: {result.reason}"
    if scored and (result.level is Level.MUST or result.outcome is Outcome.ERROR):
        return "failed", None
    unscored = "" if scored else "not scored: "
    return "skipped", f"{unscored}{headline(result)}"


@contextmanager
def _kit_unheard() -> Iterator[None]:
    """Keep the kit's own records out of the log that pytest shows of a failing check.

    A vendor reads there what the plugin and the host say. The endpoint's records stay: an agent
    has them as well.
    """
    handlers = tuple(logging.getLogger().handlers)
    for handler in handlers:
        handler.addFilter(_is_not_the_kits)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(_is_not_the_kits)


def _is_not_the_kits(record: logging.LogRecord) -> bool:
    return not f"{record.name}.".startswith("conformance.") or f"{record.name}.".startswith(
        "conformance.endpoint."
    )


def _neutral_warnings() -> tuple[str, ...]:
    # The project that is tested may turn warnings into errors; a plugin's warning is no verdict.
    quiet = ("DeprecationWarning", "PendingDeprecationWarning", "ResourceWarning")
    return ("default", *(f"ignore::{name}" for name in quiet), *sys.warnoptions)


def _error(planned: PlannedCheck, reason: str) -> CheckResult:
    return CheckResult(planned.id, planned.facts.level, Outcome.ERROR, reason=reason)
