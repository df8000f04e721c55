"""The progress of a certification in pytest's terminal, in place of a letter for each check."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from conformance.report.terminal_progress import Progress
from conformance.results.outcomes import CheckResult

from .plan import Plan


class TerminalProgress:
    """Writes a line for each subject that is done; in a terminal, one that is kept up to date."""

    def __init__(self, session: pytest.Session, reporter: pytest.TerminalReporter, plan: Plan):
        self._session = session
        self._reporter = reporter
        planned = Counter(planned.id.provider for planned in plan.checks)
        self._progress = Progress(planned, time.monotonic)
        # pytest's own are file names and percentages, between which ours would be lost
        reporter.showfspath = False
        reporter._show_progress_info = False

    @classmethod
    def instead_of_letters(cls, session: pytest.Session, plan: Plan) -> TerminalProgress | None:
        """The progress of a run; None with -q, with -v, and beside tests that are no checks."""
        config = session.config
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or config.get_verbosity() != 0 or config.args:
            return None
        return cls(session, reporter, plan)

    def start(self) -> None:
        """The checks begin now."""
        self._progress.start()

    def take(self, result: CheckResult) -> None:
        """Show that a check is done."""
        subject = result.id.provider
        self._progress.total = self._session.testscollected
        due = self._progress.take(subject, result.outcome)
        if self._reporter.isatty:
            self._reporter.rewrite(self._progress.line(subject), erase=True)
            self._reporter.write("\n" if due else "", flush=True)
        elif due:
            self._reporter.write(f"{due}\n", flush=True)
