"""For the terminal with ``-v``: a table for each subject, and what is not held against it."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING

from conformance.results.ledger import holds, ledger
from conformance.results.outcomes import Level, Outcome
from conformance.results.run import Run, SubjectRun

from .failure_text import failure_text
from .subject_words import heading

if TYPE_CHECKING:
    from rich.table import Table

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


def tables(run: Run, *, width: int, colour: bool) -> Iterator[str]:
    """For each subject its outcomes by family, its tier, its ledger and its deviations."""
    for subject in run.subjects:
        yield f"\n{heading(run, subject)}\n"
        if subject.expected:
            yield _rendered(_table(run, subject, colour), width, colour)
        yield f"{ledger(subject)}\n"
        for use in subject.deviations:
            if use.state != "unused":
                yield f"deviation {use.requirement}: {use.state}, until {use.expires}\n"
                yield from _wrapped(use.reason, width, indent="    ")
    yield "\n"


def not_held_against(run: Run, *, width: int) -> Iterator[str]:
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
        yield f"{' not held against the run ':=^{width}}\n"
    for result in shown:
        repeat = run.repeat(result.id)
        yield f"{failure_text(result, run.facts(result), repeat, width=width)}\n\n"
    for what, ids in groups:
        yield from _wrapped(f"{what} ({len(ids)})" if len(ids) > 1 else what, width)
        more = f" and {len(ids) - TOGETHER} more" if len(ids) > TOGETHER else ""
        yield from _wrapped(", ".join(ids[:TOGETHER]) + more, width, indent="    ")


def _wrapped(text: str, width: int, indent: str = "") -> Iterator[str]:
    columns = width - len(indent)
    for row in textwrap.wrap(text, columns, break_long_words=False, break_on_hyphens=False):
        yield f"{indent}{row}\n"


def _rendered(table: Table, width: int, colour: bool) -> str:
    from rich.console import Console

    file = io.StringIO()
    console = Console(
        file=file,
        width=max(width, 60),
        force_terminal=colour,
        no_color=not colour,
        color_system="standard" if colour else None,
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
