"""The matrix in Markdown: the table, the host's defects, and what did not hold, by provider."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from conformance.results.json_input import shown

from .family_summary import Share, abbreviate_ids
from .matrix import HOST, WANTING, Cell, DefectRow, Matrix, Row

_LEGEND = """A cell has the tier and, of each family of requirements that does not hold in full, how
many hold of those that apply: ✕ a MUST failed, ⊘ some cannot be judged, for the host or another
check is in the way, ! a SHOULD failed, ~ some fail as a known deviation says."""


def to_markdown(matrix: Matrix) -> str:
    """The matrix as a document in Markdown."""
    return "\n".join(_lines(matrix)) + "\n"


def _lines(matrix: Matrix) -> Iterator[str]:
    yield f"# Providers by versions of {HOST}"
    yield ""
    yield (
        f"Requirements {_plain(', '.join(matrix.revisions))}, "
        f"avatar-conformance {_plain(', '.join(matrix.kits))}."
    )
    yield _LEGEND
    yield ""
    yield from _table([HOST, *matrix.hosts], [_main_row(row) for row in matrix.rows])
    if matrix.defects:
        yield ""
        yield "## What the host gets wrong"
        yield ""
        yield "What each defect blocks; it is held against no provider."
        yield ""
        yield from _table([HOST, *matrix.hosts], [_defect_row(row) for row in matrix.defects])
    details = [row for row in matrix.rows if any(cell.wanting for of in row.cells for cell in of)]
    if details:
        yield ""
        yield "## What does not hold"
    for row in details:
        yield ""
        yield f"### {_title(row)}"
        yield ""
        head = [HOST, *(["plugin"] if row.kind == "provider" else [])]
        yield from _table(
            [*head, *WANTING.values()],
            [
                _detail_row(host, row, cell)
                for host, of in zip(matrix.hosts, row.cells, strict=True)
                for cell in of
            ],
        )


def _title(row: Row) -> str:
    if row.kind == "host":
        return f"{HOST} itself"
    if row.kind == "endpoint":
        return "the kit's own endpoint"
    return _plain(row.name)


def _main_row(row: Row) -> list[str]:
    title = _title(row)
    if row.kind == "provider":
        title = f"**{title}**<br>{_plain(row.distribution)}"
    return [title, *("<br>".join(map(_main_cell, of)) or "not run" for of in row.cells)]


def _main_cell(cell: Cell) -> str:
    parts = []
    if cell.word:
        parts.append(f"**{cell.word}**" + (f" {_plain(cell.version)}" if cell.version else ""))
    bad = [share for share in cell.shares if share.held < share.asked]
    whole = [] if cell.word else [share for share in cell.shares if share not in bad]
    parts += [_of_share(share) for share in (*whole, *bad)]
    if cell.remark:
        parts.append(_plain(cell.remark))
    return "<br>".join(parts)


def _of_share(share: Share) -> str:
    return f"{share.mark} {share.family} {share.held} of {share.asked}"


def _defect_row(row: DefectRow) -> list[str]:
    return [
        f"**{_plain(row.id)}** {_plain(row.text)}",
        *(abbreviate_ids(map(_plain, names)) or "-" for names in row.requirements),
    ]


def _detail_row(host: str, row: Row, cell: Cell) -> list[str]:
    version = [_plain(cell.version)] if row.kind == "provider" else []
    wanting = dict(cell.wanting)
    lists = (wanting.get(title, ()) for title in WANTING.values())
    return [_plain(host), *version, *(abbreviate_ids(map(_plain, ids)) or "-" for ids in lists)]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield _row(head)
    yield _row(["---"] * len(head))
    yield from map(_row, rows)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _plain(text: str) -> str:
    special = "\\`*_[]<>|&"
    return "".join(f"\\{c}" if c in special else c for c in shown(text))
