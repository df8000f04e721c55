"""The kill matrix in print."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.results.outcomes import Outcome

from .judging import Verdict
from .matrix import Matrix, Row

LEGEND = "X killed for its reason, x fails too, ! was to fail, . passed, - not applicable, E error"


def table(matrix: Matrix) -> str:
    """Mutants by requirements, one character each; the chains' mutants apart from the others."""
    chains = [row for row in matrix.rows if _is_chain(row)]
    others = [row for row in matrix.rows if not _is_chain(row)]
    return "\n\n".join([*(_block(rows) for rows in (others, chains) if rows), LEGEND])


def coupled(matrix: Matrix) -> str:
    """The mutants that other checks catch than the ones they are made for."""
    lines = [
        f"  {row.name}: {', '.join(row.coupled)}"
        for row in matrix.rows
        if row.coupled and not row.sound
    ]
    return "\n".join(["\nMutants that other checks catch too:", *lines])


def _is_chain(row: Row) -> bool:
    return any(v.check.startswith("HOST-") for v in row.verdicts)


def _block(rows: Sequence[Row]) -> str:
    requirements = list(dict.fromkeys(v.check for row in rows for v in row.verdicts))
    width = max(len(row.name) for row in rows)
    lines = [_heading(requirements, width, part) for part in ("family", "tens", "ones")]
    for row in rows:
        cells = {name: _cell(row, name) for name in requirements}
        lines.append(f"{row.name:{width}} {_spaced(requirements, cells)}")
    return "\n".join(lines)


def _spaced(requirements: Sequence[str], cells: dict[str, str]) -> str:
    text, family = "", ""
    for name in requirements:
        if name.partition("-")[0] != family:
            text += " "
            family = name.partition("-")[0]
        text += cells[name]
    return text


def _heading(requirements: Sequence[str], width: int, part: str) -> str:
    if part != "family":
        place = -2 if part == "tens" else -1
        return f"{'':{width}} {_spaced(requirements, {n: n[place] for n in requirements})}"
    letters: dict[str, str] = {}
    for name in requirements:
        family = name.partition("-")[0]
        index = sum(other.startswith(f"{family}-") for other in letters)
        letters[name] = family[index] if index < len(family) else " "
    return f"{'':{width}} {_spaced(requirements, letters)}"


def _cell(row: Row, requirement: str) -> str:
    verdicts: list[Verdict] = [v for v in row.verdicts if v.check == requirement]
    intended = any(kill.requirement == requirement for kill in row.kills)
    if not verdicts or all(v.outcome is Outcome.NOT_APPLICABLE for v in verdicts):
        return "-"
    if any(v.outcome is Outcome.ERROR for v in verdicts):
        return "E"
    if any(v.name in row.killed_by for v in verdicts):
        return "X"
    if intended:
        return "!"
    return "x" if any(v.failed for v in verdicts) else "."
