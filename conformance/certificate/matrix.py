"""The matrix of many runs: providers down, hosts across, tier and failures in each cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
from packaging.version import InvalidVersion, Version

from conformance.outcomes import Outcome
from conformance.report.ledger import Tier, holds, ledger, partial_because, tier
from conformance.report.run import Run, SubjectRun

from .loading import Loaded
from .reading import shown

HOST = "livekit-agents"
_TEMPLATE = Path(__file__).with_name("matrix.html.jinja")


@dataclass(frozen=True)
class Cell:
    """What one provider did on one host: its tier, its failures by requirement, and the account."""

    tier: Tier
    partial: bool
    failures: tuple[str, ...]
    expected_failures: tuple[str, ...]
    account: str
    source: str
    finished: str

    @property
    def word(self) -> str:
        """The tier in words, or that there is none to be had."""
        if self.partial:
            return "partial run"
        return "not certified" if self.tier is Tier.NONE else self.tier.value


@dataclass(frozen=True)
class Row:
    """One version of one provider; a cell for each host, None where it was not run."""

    provider: str
    distribution: str
    version: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Matrix:
    """Providers by hosts. ``hosts`` are versions of livekit-agents, oldest first."""

    hosts: tuple[str, ...]
    rows: tuple[Row, ...]
    revisions: tuple[str, ...]


def make_matrix(loaded: Sequence[Loaded]) -> Matrix:
    """The matrix of these runs. Of two runs for one cell the one that ended later counts."""
    cells: dict[tuple[str, str, str], dict[str, Cell]] = {}
    for source in loaded:
        host = source.run.host.get(HOST, "?")
        for subject in source.run.subjects:
            if subject.kind == "provider":
                key = (subject.name, subject.distribution or "", subject.version or "?")
                cell = _cell(source, subject)
                row = cells.setdefault(key, {})
                if host not in row or row[host].finished <= cell.finished:
                    row[host] = cell
    hosts = sorted({host for row in cells.values() for host in row}, key=_by_version)
    keys = sorted(cells, key=lambda key: (key[0], key[1], _by_version(key[2])))
    return Matrix(
        tuple(hosts),
        tuple(Row(*key, tuple(cells[key].get(host) for host in hosts)) for key in keys),
        tuple(sorted({source.run.revision for source in loaded})),
    )


def to_html(matrix: Matrix) -> str:
    """The matrix as one HTML page that needs no other file."""
    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.from_string(_TEMPLATE.read_text("utf-8")).render(matrix=matrix) + "\n"


def to_markdown(matrix: Matrix) -> str:
    """The matrix as a table in Markdown."""
    head = ["provider", *(f"{HOST} {host}" for host in matrix.hosts)]
    lines = [_row(head), _row(["---"] * len(head))]
    for row in matrix.rows:
        name = f"{row.provider} ({row.distribution} {row.version})"
        lines.append(_row([_plain(name), *(_in_markdown(cell) for cell in row.cells)]))
    return "\n".join(lines) + "\n"


def _cell(source: Loaded, subject: SubjectRun) -> Cell:
    run = source.run
    return Cell(
        tier=tier(run, subject),
        partial=bool(partial_because(run)) or not run.selection.whole,
        failures=_failures(run, subject),
        expected_failures=_requirements(subject, Outcome.EXPECTED_FAILURE),
        account=str(ledger(subject)),
        source=shown(source.path.name),
        finished=source.certificate.issued.isoformat()
        if source.certificate
        else run.timing.finished,
    )


def _failures(run: Run, subject: SubjectRun) -> tuple[str, ...]:
    found = (
        f"{result.id.requirement}{'' if result.outcome is Outcome.FAILED else ' ' + word}"
        for result in subject.results
        for word in (result.outcome.value,)
        if run.facts(result).scored and not holds(subject, result)
    )
    return tuple(dict.fromkeys(found))


def _requirements(subject: SubjectRun, outcome: Outcome) -> tuple[str, ...]:
    found = (r.id.requirement for r in subject.results if r.outcome is outcome)
    return tuple(dict.fromkeys(found))


def _in_markdown(cell: Cell | None) -> str:
    if cell is None:
        return "not run"
    parts = [f"**{cell.word}**"]
    if cell.failures:
        parts.append("failed: " + ", ".join(cell.failures))
    if cell.expected_failures:
        parts.append("expected: " + ", ".join(cell.expected_failures))
    return "<br>".join(map(_plain_but_markup, parts))


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _plain(text: str) -> str:
    special = "\\`*_[]<>|&"
    return "".join(f"\\{c}" if c in special else c for c in shown(text))


def _plain_but_markup(text: str) -> str:
    # Words and requirement ids only: nothing that a report's author could have made up.
    return shown(text)


def _by_version(text: str) -> tuple[int, Version | str]:
    try:
        return (1, Version(text))
    except InvalidVersion:
        return (0, text)
