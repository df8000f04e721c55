"""What a certification prints: a table for each subject, what is recommended, the verdict."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.results.ledger import (
    Ledger,
    Tier,
    holds,
    ledger,
    partial_because,
    tier,
    unjudged_swaps,
)
from conformance.results.outcomes import Level, Outcome
from conformance.results.run import Run, SubjectRun
from conformance.results.verdict import verdict

from .failure_text import failure_text, headline

if TYPE_CHECKING:
    import pytest
    from rich.table import Table

PROBLEMS = 25
"""Lines at most on what stands in the way of a pass; the JSON report has them all."""

TOGETHER = 20
"""Checks that are named below one reason; the JSON report has them all."""

_WORDS = {
    Outcome.BLOCKED: "blocked",
    Outcome.NOT_APPLICABLE: "not applicable",
    Outcome.PASSED: "passed, but",
}
_STYLES = {
    Outcome.PASSED: "green",
    Outcome.FAILED: "red",
    Outcome.EXPECTED_FAILURE: "yellow",
    Outcome.NOT_APPLICABLE: "dim",
    Outcome.BLOCKED: "magenta",
    Outcome.ERROR: "bold red",
}


@dataclass(frozen=True)
class Terminal:
    """Prints through ``write``; in colour and with lines drawn where ``colour`` is true."""

    write: Callable[[str], None]
    width: int = 80
    colour: bool = False

    @classmethod
    def for_pytest(cls, reporter: pytest.TerminalReporter) -> Terminal:
        """The terminal that pytest writes to."""
        writer = reporter.config.get_terminal_writer()

        def write(text: str) -> None:
            reporter.ensure_newline()
            reporter.write(text)

        return cls(write, writer.fullwidth, writer.hasmarkup)

    def tables(self, run: Run) -> None:
        """For each subject its outcomes by family, its tier and its ledger."""
        for subject in run.subjects:
            self.write(f"\n{heading(run, subject)}\n")
            if subject.expected:
                self.write(self._rendered(_table(run, subject, self.colour)))
            self.write(f"{ledger(subject)}\n")
            for use in subject.deviations:
                if use.state != "unused":
                    self.write(f"deviation {use.requirement}: {use.state}, until {use.expires}\n")
                    self._wrapped(use.reason, indent="    ")
        self.write("\n")

    def recommendations(self, run: Run) -> None:
        """What is not held against the run: a SHOULD, what is not scored, excused or exempt."""
        shown = [
            result
            for subject in run.subjects
            for result in subject.results
            if (result.outcome is Outcome.FAILED and result.level is Level.SHOULD)
            or (result.outcome is not Outcome.PASSED and not run.facts(result).scored)
        ]
        groups = list(_for_one_reason(run))
        if shown or groups:
            self.write(f"{' not held against the run ':=^{self.width}}\n")
        for result in shown:
            self.write(f"{failure_text(result, run.facts(result), run.repeat(result.id))}\n\n")
        for what, ids in groups:
            self._wrapped(f"{what} ({len(ids)})" if len(ids) > 1 else what)
            more = f" and {len(ids) - TOGETHER} more" if len(ids) > TOGETHER else ""
            self._wrapped(", ".join(ids[:TOGETHER]) + more, indent="    ")

    def verdict(self, run: Run, trouble: Iterable[str] = ()) -> None:
        """One line for each subject, and what stands in the way of a pass."""
        for subject in run.subjects:
            self.write(f"{line(run, subject)}\n")
        for reason in partial_because(run):
            self.write(f"partial, certifies nothing: {reason}\n")
        judged = verdict(run)
        for defect in judged.host_defects:
            self.write(f"host defect, held against no provider: {defect}\n")
        for problem in judged.problems[:PROBLEMS]:
            self.write(f"not passed: {problem}\n")
        if len(judged.problems) > PROBLEMS:
            self.write(f"not passed: and {len(judged.problems) - PROBLEMS} more\n")
        should = [
            f"{result.id}: {headline(result)}"
            for subject in run.subjects
            for result in subject.results
            if result.outcome is Outcome.FAILED and result.level is Level.SHOULD
        ]
        for text in should[:PROBLEMS]:
            self.write(f"not robust: {text}\n")
        if len(should) > PROBLEMS:
            self.write(f"not robust: and {len(should) - PROBLEMS} more\n")
        for message in trouble:
            self.write(f"report: {message}\n")

    def _wrapped(self, text: str, indent: str = "") -> None:
        for row in textwrap.wrap(text, 100, break_long_words=False, break_on_hyphens=False):
            self.write(f"{indent}{row}\n")

    def _rendered(self, table: Table) -> str:
        from rich.console import Console

        file = io.StringIO()
        console = Console(
            file=file,
            width=max(self.width, 60),
            force_terminal=self.colour,
            no_color=not self.colour,
            color_system="standard" if self.colour else None,
            highlight=False,
            legacy_windows=False,
        )
        console.print(table)
        rows: list[str] = file.getvalue().splitlines()
        return "".join(f"{row.rstrip()}\n" for row in rows)


def _for_one_reason(run: Run) -> Iterator[tuple[str, list[str]]]:
    """What is excused or exempt, and what passed with a remark: each reason with its checks."""
    groups: dict[str, list[str]] = {}
    for subject in run.subjects:
        for result in subject.results:
            word = _WORDS.get(result.outcome)
            if word and result.reason and holds(subject, result):
                groups.setdefault(f"{word}: {result.reason}", []).append(str(result.id))
    for word in _WORDS.values():
        yield from ((what, ids) for what, ids in groups.items() if what.startswith(f"{word}: "))


def heading(run: Run, subject: SubjectRun) -> str:
    """The subject with its version and its tier."""
    version = f" {subject.version}" if subject.version else ""
    distribution = f" ({subject.distribution}{version})" if subject.distribution else ""
    if subject.kind == "host":
        distribution = f" (livekit-agents {run.host['livekit-agents']})"
    if subject.kind != "provider":
        return f"{subject.name}{distribution}"
    return f"{subject.name}{distribution}: tier {tier_in_words(run, subject)}"


def tier_in_words(run: Run, subject: SubjectRun) -> str:
    """The tier, and why there is none where the results are not the reason."""
    reached = tier(run, subject)
    if reached is not Tier.NONE:
        listed = ledger(subject).counts[Outcome.EXPECTED_FAILURE]
        return f"{reached.value}, with {listed} expected failures" if listed else str(reached.value)
    if partial_because(run):
        return "none (partial run)"
    if not run.selection.whole:
        return "none (only a part of the requirements was asked for)"
    blocked = unjudged_swaps(subject.results)
    return f"none ({' and '.join(blocked)} could not be judged)" if blocked else "none"


def line(run: Run, subject: SubjectRun) -> str:
    """The subject in one line."""
    return f"{heading(run, subject)}; {_short(ledger(subject))}"


def _short(account: Ledger) -> str:
    counts = [f"{n} {outcome.value}" for outcome, n in account.counts.items() if n]
    if account.missing:
        counts.append(f"{len(account.missing)} not run")
    return f"expected {account.expected} = {' + '.join(counts) or '0'}"


def _table(run: Run, subject: SubjectRun, colour: bool) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE if colour else box.ASCII2, pad_edge=False)
    table.add_column("family")
    table.add_column("expected", justify="right")
    for outcome in Outcome:
        title = outcome.value.replace("-", "\n")
        table.add_column(title, justify="right", style=_STYLES[outcome])
    families = dict.fromkeys(run.requirements[i.requirement].family for i in subject.expected)
    for family in families:
        expected = [i for i in subject.expected if run.requirements[i.requirement].family == family]
        results = [r for r in subject.results if run.facts(r).family == family]
        counts = (sum(r.outcome is outcome for r in results) for outcome in Outcome)
        table.add_row(family, str(len(expected)), *(str(count or "") for count in counts))
    return table
