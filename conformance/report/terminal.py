"""Render a run for the terminal: a table for each subject, recommendations, the verdict."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from conformance.results.ledger import Ledger, holds, ledger, partial_because
from conformance.results.outcomes import Level, Outcome
from conformance.results.run import Run, SubjectRun
from conformance.results.tiers import Tier, standing
from conformance.results.verdict import first_of, passes_gate, verdict

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
        """Results that do not gate: failed SHOULDs, unscored, excused and exempt checks."""
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
            self._coloured(run, subject)
        for reason in partial_because(run):
            self.write(f"partial, certifies nothing: {reason}\n")
        judged = verdict(run)
        for defect in judged.host_defects:
            self.write(f"listed defect of the host: {defect}\n")
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

    def _coloured(self, run: Run, subject: SubjectRun) -> None:
        """The line of a subject: green for a tier and for nothing else."""
        text = line(run, subject)
        if self.colour and subject.kind == "provider":
            green = standing(run, subject).tier is not Tier.NONE
            text = f"\x1b[{32 if green else 31}m{text}\x1b[0m"
        self.write(f"{text}\n")

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
    """Excused and exempt checks, and those that passed with a remark, by reason."""
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
    return f"{subject.name}{distribution}: {tier_in_words(run, subject)}"


def tier_in_words(run: Run, subject: SubjectRun) -> str:
    """The tier first, with what is missing for the next one; or that there is none, and why."""
    earned = standing(run, subject)
    if earned.nothing:
        return f"no tier: {earned.nothing}"
    if earned.tier is Tier.NONE:
        return f"no tier: {first_of(earned.missing)} do{_es(earned.missing)} not hold"
    above = earned.tier.next
    if above is None:
        return f"tier {earned.tier.value}"
    return f"tier {earned.tier.value}; {above.value} lacks {first_of(earned.missing)}"


def gate_in_words(run: Run, subject: SubjectRun) -> str:
    """Whether anything got worse, and how many known failures there are."""
    known = ledger(subject).counts[Outcome.EXPECTED_FAILURE]
    used = sum(use.state == "used" for use in subject.deviations)
    gate = f"gate {'passed' if passes_gate(run, subject) else 'failed'}"
    if not known:
        return gate
    failures = f"{known} known failure{'s' if known != 1 else ''}"
    return f"{gate}: {failures} by {used} deviation{'s' if used != 1 else ''}"


def _es(names: Sequence[str]) -> str:
    return "es" if len(names) == 1 else ""


def line(run: Run, subject: SubjectRun) -> str:
    """The subject in one line: tier first, gate second, then the ledger."""
    gate = f"; {gate_in_words(run, subject)}" if subject.kind == "provider" else ""
    return f"{heading(run, subject)}{gate}; {_short(ledger(subject))}"


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
