"""Render a run for the terminal: what failed, each subject's standing, and the verdict.

What is printed without ``-v`` is what is needed to go on: of each provider the three worst failures
in full, its tier and what it lacks for the next one. ``-v`` has everything else.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from conformance.results.ledger import partial_because
from conformance.results.outcomes import CheckId, Level, Outcome
from conformance.results.run import Run, SubjectRun
from conformance.results.tiers import Tier, standing
from conformance.results.verdict import first_of, verdict

from .failure_text import failure_text, headline
from .subject_words import line
from .terminal_details import not_held_against, tables
from .terminal_standing import WORST, failures_of, standing_heading, standing_lines

if TYPE_CHECKING:
    import pytest

PROBLEMS = 25
"""Lines at most on what stands in the way of a pass; the JSON report has them all."""


class Write(Protocol):
    """Writes text with pytest's markup: ``green=True``, ``bold=True``."""

    def __call__(self, text: str, /, **markup: bool) -> None:
        """Write ``text``."""


@dataclass(frozen=True)
class Terminal:
    """Prints through ``write``; in colour and with lines drawn where ``colour`` is true.

    ``tracebacks`` has where errors of the kit were raised, by their check.
    """

    write: Write
    width: int = 80
    colour: bool = False
    tracebacks: Mapping[CheckId, str] = field(default_factory=dict)

    @classmethod
    def for_pytest(
        cls, reporter: pytest.TerminalReporter, tracebacks: Mapping[CheckId, str]
    ) -> Terminal:
        """The terminal that pytest writes to."""
        writer = reporter.config.get_terminal_writer()

        def write(text: str, /, **markup: bool) -> None:
            reporter.write(text, **markup)

        reporter.ensure_newline()
        return cls(write, writer.fullwidth, writer.hasmarkup, tracebacks)

    def tables(self, run: Run) -> None:
        """For each subject its outcomes by family, its tier, its ledger and its deviations."""
        for text in tables(run, width=self.width, colour=self.colour):
            self.write(text)

    def failures(self, run: Run) -> None:
        """What failed and was not expected to, in full: of each subject the three worst."""
        titled = False
        for subject in run.subjects:
            shown = failures_of(run, subject)[:WORST]
            if shown and not titled:
                self._title("what failed")
                titled = True
            for result in shown:
                text = failure_text(
                    result,
                    run.facts(result),
                    run.repeat(result.id),
                    folded=True,
                    width=self.width,
                )
                head, _, rest = text.partition("\n")
                self.write(head, red=True, bold=True)
                self.write(f"\n{rest}\n{self.tracebacks.get(result.id, '')}\n")
            self._left_out(subject, [result.id.requirement for result in shown])

    def recommendations(self, run: Run) -> None:
        """Results that do not gate: failed SHOULDs, unscored, excused and exempt checks."""
        for text in not_held_against(run, width=self.width):
            self.write(text)

    def standing(self, run: Run, *, shown: bool) -> None:
        """Of each subject its tier, what it lacks for the next one, and its account.

        What is lacking is told in full where the failures were not ``shown`` before.
        """
        self._title("standing")
        for subject in run.subjects:
            self._heading(run, subject, standing_heading(run, subject))
            for text in standing_lines(run, subject, width=self.width, shown=shown):
                self.write(f"{text}\n")
        self.write("\n")

    def verdict(
        self, run: Run, trouble: Iterable[str] = (), *, shown: bool, standing: bool = False
    ) -> None:
        """What stands in the way of a pass.

        A failed check only where the failures were not ``shown`` before, a listed defect of the
        host where the ``standing`` was not.
        """
        for reason in partial_because(run):
            self.write(f"partial, certifies nothing: {reason}\n")
        judged = verdict(run)
        for defect in () if standing else judged.host_defects:
            self.write(f"listed defect of the host: {defect}\n")
        self._at_most("not passed", judged.beside_failures if shown else judged.problems)
        if not shown:
            self._at_most("not robust", list(_should(run)))
        for message in trouble:
            self.write(f"report: {message}\n")

    def lines(self, run: Run) -> None:
        """One line for each subject."""
        for subject in run.subjects:
            self._heading(run, subject, line(run, subject))

    def _at_most(self, word: str, texts: Iterable[str]) -> None:
        listed = list(texts)
        for text in listed[:PROBLEMS]:
            self.write(f"{word}: {text}\n")
        if len(listed) > PROBLEMS:
            self.write(f"{word}: and {len(listed) - PROBLEMS} more\n")

    def _left_out(self, subject: SubjectRun, shown: Iterable[str]) -> None:
        failed = [r.id for r in subject.results if r.outcome.unexpected]
        named = set(shown)
        others = list(dict.fromkeys(i.requirement for i in failed if i.requirement not in named))
        more = len(failed) - len(named)
        if more <= 0:
            return
        checks = f"{more} more check{'s' if more > 1 else ''}"
        of = f", also of {first_of(others, 6)}" if others else " of the same requirements"
        text = f"{subject.name}: {checks} failed{of}; -v shows each"
        self.write(f"{textwrap.fill(text, self.width, break_on_hyphens=False)}\n\n")

    def _heading(self, run: Run, subject: SubjectRun, text: str) -> None:
        """Green for a tier and for nothing else."""
        markup = {}
        if subject.kind == "provider":
            earned = standing(run, subject).tier is not Tier.NONE
            markup = {"green" if earned else "red": True}
        self.write(text, **markup)
        self.write("\n")

    def _title(self, title: str) -> None:
        self.write(f"{f' {title} ':=^{self.width}}\n")


def _should(run: Run) -> Iterator[str]:
    for subject in run.subjects:
        for result in subject.results:
            if result.outcome is Outcome.FAILED and result.level is Level.SHOULD:
                yield f"{result.id}: {headline(result)}"
