"""A certification as pytest runs it: what is collected, how it is counted, what is reported."""

from __future__ import annotations

import datetime
import os
import warnings
from collections.abc import Generator, Sequence
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

from conformance.errors import ConformanceError
from conformance.plugin import watchdog
from conformance.report import terminal
from conformance.results.outcomes import CheckId, CheckResult, Outcome
from conformance.results.plain_text import plain, plain_json, plain_row, plain_use
from conformance.results.run import Run, SubjectRun, Timing
from conformance.results.serialization import result_from_json, result_to_json
from conformance.results.verdict import verdict
from conformance.stage.environ import ambient, of_plugin
from conformance.stage.interface import STAGE_LOST

from .collection import HOST, CheckItem, Execution, SubjectCollector, outcome_for_pytest
from .forked_run import ForkedRun, why_single
from .options import CHECK_ID, read_options
from .preparation import Prepared, prepare
from .progress import TerminalProgress
from .write_reports import Delivery

if TYPE_CHECKING:
    from conformance.plugin.provider import Provider

_ATTRIBUTE = "avatar_conformance"
_CAPTURED = 20_000
"""Characters of captured output that are printed beside a failure."""
_LETTERS = {
    Outcome.PASSED: ("passed", ".", ("PASSED", {"green": True})),
    Outcome.FAILED: ("failed", "F", ("FAILED", {"red": True})),
    Outcome.EXPECTED_FAILURE: ("expected-failure", "x", ("EXPECTED-FAILURE", {"yellow": True})),
    Outcome.NOT_APPLICABLE: ("not-applicable", "n", ("NOT-APPLICABLE", {"yellow": True})),
    Outcome.BLOCKED: ("blocked", "b", ("BLOCKED", {"yellow": True})),
    Outcome.ERROR: ("error", "E", ("ERROR", {"red": True})),
}
# A SHOULD, or a requirement that is newer than the revision: shown, not held against the run.
_UNCOUNTED = {
    Outcome.FAILED: ("failed-should", "s", ("FAILED-SHOULD", {"yellow": True})),
    Outcome.ERROR: ("error-unscored", "e", ("ERROR-UNSCORED", {"yellow": True})),
}
_HOST_DEFECT = ("host-defect", "h", ("HOST-DEFECT", {"yellow": True}))


class Certification:
    """The plugin that is registered when ``--conformance`` is given."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._worker = hasattr(config, "workerinput")
        self._options = read_options(config)
        self._prepared: Prepared | None = None
        self._results: dict[CheckId, CheckResult] = {}
        self._seconds: dict[str, float] = {}
        self._gaps: list[str] = []
        self._deselected = 0
        self._started = _now()
        self._run: Run | None = None
        self._trouble: list[str] = []
        self._progress: TerminalProgress | None = None
        _leave_only_paths(config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Find the providers and make the plan; what the user got wrong is one line."""
        self._session = session
        conftests = [
            plugin
            for name, plugin in self._config.pluginmanager.list_name_plugin()
            if isinstance(plugin, ModuleType) and str(name).endswith("conftest.py")
        ]
        try:
            # The project that is tested may turn warnings into errors; importing a plugin that
            # warns is no reason to stop.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._prepared = prepare(self._options, conftests)
        except ConformanceError as error:
            raise pytest.UsageError(plain(str(error))) from None
        if not self._worker and not self._config.option.collectonly:
            trouble = Delivery(self._options, self._prepared.secrets).begin()
            if trouble:
                raise pytest.UsageError(trouble[0])
        self._progress = TerminalProgress.instead_of_letters(session, self._prepared.plan)

    def pytest_report_header(self) -> list[str]:
        """A line in the head of pytest's output, and one that names what is set aside."""
        prepared = self._need()
        manifests = [provider.manifest for provider in prepared.providers.values()]
        foreign = {*ambient(os.environ), *(n for m in manifests for n in of_plugin(m, os.environ))}
        aside = f"set aside for the run, as not the vendor's: {', '.join(sorted(foreign))}"
        head = (
            f"avatar-conformance {prepared.kit}: requirements {prepared.revision}, "
            f"livekit-agents {prepared.host['livekit-agents']}, stage {prepared.stage}, "
            f"providers {', '.join(prepared.providers) or 'none'}"
        )
        return [head, aside] if foreign else [head]

    @pytest.hookimpl(wrapper=True)
    def pytest_make_collect_report(
        self, collector: pytest.Collector
    ) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
        """Put the subjects beside what the paths on the command line brought."""
        report = yield
        if isinstance(collector, pytest.Session) and report.result is not None:
            prepared = self._need()
            for subject in prepared.plan.subjects:
                planned = prepared.plan.of(subject.name)
                if planned:
                    execution = Execution(
                        prepared.excuses[subject.name],
                        prepared.runner,
                        self._options.seed,
                        prepared.revision,
                        self._options.selection(tuple(prepared.providers)),
                        prepared.stage,
                        prepared.controls,
                    )
                    report.result.append(SubjectCollector.make(collector, planned, execution))
        return report

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the checks of a subject together, whatever has shuffled them."""
        plan = self._prepared.plan if self._prepared is not None else None
        subjects = list(dict.fromkeys(c.id.provider for c in plan.checks)) if plan else []
        items.sort(
            key=lambda item: (
                subjects.index(item.planned.id.provider) if isinstance(item, CheckItem) else -1
            )
        )

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        """Judge in as many processes as were asked for; pytest's own loop does it in one."""
        if self._progress is not None:
            self._progress.start()
        processes = self._options.processes
        stopped = session.testsfailed and not session.config.option.continue_on_collection_errors
        if stopped or session.config.option.collectonly:
            return None
        if processes == 1 or self._need().live is not None or why_single(session) is not None:
            watchdog.when_nothing_helps = self._break_off
            return None
        ForkedRun(session, processes, self._enter_process, _crashed).run()
        return True

    def _enter_process(self) -> None:
        self._worker = True

    def _break_off(self, why: str) -> None:
        """Write what has been found and end the process: a check can be ended in no other way."""
        if not self._worker and self._prepared is not None:
            self._gaps.append(f"broken off: {why}")
            run = self._finished_run(self._session, pytest.ExitCode.TESTS_FAILED)
            Delivery(self._options, self._prepared.secrets).write(run)
        watchdog.end_process(why)

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Remember that -k, -m or --deselect took checks away."""
        self._deselected += sum(isinstance(item, CheckItem) for item in items)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach the result to the report, as plain data: it may go to another process."""
        report = yield
        if not isinstance(item, CheckItem):
            return report
        if call.when == "setup" and not report.passed:
            item.conclude_without_running(f"kept from running in setup: {call.excinfo}")
        elif call.when != "call":
            return report
        result = item.result
        if result is None:  # Interrupted, or another plugin ran the item in its own way.
            return report
        if call.excinfo is None or call.when == "call":
            report.outcome, why = outcome_for_pytest(result, scored=item.planned.facts.scored)  # type: ignore[assignment]
            if report.outcome == "passed":
                report.longrepr = None
            elif why is not None:
                if result.outcome is Outcome.EXPECTED_FAILURE:
                    report.wasxfail = why
                path, line, _ = item.reportinfo()
                report.longrepr = (str(path), (line or 0) + 1, why)
        report.sections = [(title, plain(text, _CAPTURED)) for title, text in report.sections]
        setattr(report, _ATTRIBUTE, result_to_json(result))
        item.result = replace(result, events=())  # pytest keeps its items to the end of the run
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """Make plain what a plugin warns of, before pytest prints it."""
        warning_message.message = Warning(plain(str(warning_message.message)))

    def pytest_report_teststatus(self, report: pytest.CollectReport | pytest.TestReport) -> Any:
        """A word and a letter of its own for each outcome."""
        data = getattr(report, _ATTRIBUTE, None)
        if data is None:
            return None
        outcome = Outcome(data["outcome"])
        status = _LETTERS[outcome]
        if outcome.unexpected and report.outcome == "skipped":
            status = _UNCOUNTED[outcome]
        elif outcome is Outcome.EXPECTED_FAILURE and data["provider"] == HOST:
            status = _HOST_DEFECT
        category, letter, word = status
        return category, "" if self._progress else letter, word

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in a result, of this process or of a worker's."""
        data = getattr(report, _ATTRIBUTE, None)
        if data is None or self._worker:
            return
        result = result_from_json(data)
        data["events"] = ()  # pytest keeps its reports to the end of the run
        if result.id in self._results:
            self._gaps.append(f"{result.id} ran more than once; the first result counts")
            return
        self._results[result.id] = result
        if self._progress is not None:
            self._progress.take(result)
        self._seconds[str(result.id)] = round(report.duration, 6)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Judge the run and write the reports, of an interrupted run too."""
        watchdog.when_nothing_helps = watchdog.end_process
        if self._prepared is not None and self._prepared.live is not None:
            self._prepared.live.close()
        if self._worker or self._prepared is None or self._config.option.collectonly:
            return
        self._run = run = self._finished_run(session, exitstatus)
        self._trouble = Delivery(self._options, self._prepared.secrets).write(run)
        bad = self._trouble or self._gaps or verdict(run).problems
        if session.exitstatus == pytest.ExitCode.OK and bad:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> Generator[None, None, None]:
        """What failed, each subject's standing, the verdict; with -v everything there is."""
        if self._run is None:
            return (yield)
        verbosity = self._config.get_verbosity()
        shown = self._config.option.tbstyle != "no"
        stats = terminalreporter.stats
        own = {} if verbosity > 0 else _take_out(stats)
        writer = terminal.Terminal.for_pytest(terminalreporter, _tracebacks(own))
        if verbosity > 0:
            writer.tables(self._run)
        yield
        for category, reports in own.items():
            stats[category].extend(reports)
        if verbosity <= 0 and shown:
            writer.failures(self._run)
        elif shown:
            writer.recommendations(self._run)
        if verbosity == 0:
            writer.standing(self._run, shown=shown)
        else:
            writer.lines(self._run)
        writer.verdict(self._run, self._trouble, shown=shown, standing=verbosity == 0)
        if self._options.annotations:
            from conformance.report.annotations import render

            for line in render(self._run):
                terminalreporter.write_line(line)
        return None

    def _need(self) -> Prepared:
        assert self._prepared is not None, "pytest_sessionstart has not run"
        return self._prepared

    def _finished_run(self, session: pytest.Session, exitstatus: int) -> Run:
        prepared = self._need()
        subjects = []
        for subject in prepared.plan.subjects:
            expected = tuple(planned.id for planned in prepared.plan.of(subject.name))
            results = tuple(self._results[i] for i in expected if i in self._results)
            provider = prepared.providers.get(subject.name)
            uses = prepared.excuses[subject.name].uses(expected, results)
            subjects.append(
                SubjectRun(
                    name=subject.name,
                    kind=_kind(subject.name),
                    expected=expected,
                    results=results,
                    origin=provider.origin if provider else None,
                    distribution=provider.manifest.distribution if provider else None,
                    version=_plain_version(provider) if provider else None,
                    manifest=plain_json(provider.manifest.to_json()) if provider else None,
                    deviations=tuple(map(plain_use, uses)),
                )
            )
        cut_short = self._cut_short(session, exitstatus)
        return Run(
            kit=prepared.kit,
            revision=prepared.revision,
            python=prepared.python,
            host=prepared.host,
            stage=prepared.stage,
            seed=self._options.seed,
            selection=self._options.selection(tuple(prepared.providers)),
            requirements=prepared.plan.requirements,
            subjects=tuple(subjects),
            required_tier=self._options.require_tier,
            gaps=tuple(map(plain, (*prepared.plan.gaps, *self._gaps, *cut_short))),
            timing=Timing(self._started, _now(), dict(sorted(self._seconds.items()))),
        )

    def _cut_short(self, session: pytest.Session, exitstatus: int) -> list[str]:
        reasons = []
        if self._deselected:
            reasons.append(f"{self._deselected} checks deselected (-k, -m, --deselect, --lf)")
        if exitstatus == pytest.ExitCode.INTERRUPTED:
            reasons.append("interrupted")
        elif exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            reasons.append("pytest broke off with an internal error")
        lost = sum(result.reference == STAGE_LOST for result in self._results.values())
        if lost:
            reasons.append(f"the LiveKit server was not there for {lost} of the checks")
        stopped = session.shouldfail or session.shouldstop
        if stopped:
            reasons.append(f"stopped early: {stopped}")
        return reasons


def _crashed(item: CheckItem, why: str) -> pytest.TestReport:
    """The report of a check whose process has ended."""
    item.conclude_without_running(why)
    assert item.result is not None, "the item has just been given a result"
    report = pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords={},
        outcome="failed",
        longrepr=item.failure_text(),
        when="call",
        user_properties=item.user_properties,
    )
    setattr(report, _ATTRIBUTE, result_to_json(item.result))
    return report


def _take_out(stats: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The reports of failed checks, taken out of what pytest would list a second time."""
    own = {}
    for category in {"failed", "error"} & stats.keys():
        reports = stats[category]
        own[category] = [report for report in reports if hasattr(report, _ATTRIBUTE)]
        stats[category] = [report for report in reports if not hasattr(report, _ATTRIBUTE)]
    return own


def _tracebacks(own: dict[str, list[Any]]) -> dict[CheckId, str]:
    found = {}
    for report in own.get("error", []):
        _, _, trace = report.longreprtext.partition("\n\n")
        if trace:
            found[result_from_json(getattr(report, _ATTRIBUTE)).id] = f"\n{trace}\n"
    return found


def _leave_only_paths(config: pytest.Config) -> None:
    """Take check ids out of pytest's arguments, and every default path with them."""
    named = [arg for arg in config.args if CHECK_ID.fullmatch(arg)]
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = []
    elif named:
        config.args = [arg for arg in config.args if arg not in named]


def _plain_version(provider: Provider) -> str | None:
    version = provider.installed_version
    return None if version is None else plain_row(version)


def _kind(name: str) -> Any:
    return name if name in ("host", "endpoint") else "provider"


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
