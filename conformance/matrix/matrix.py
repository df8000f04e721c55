"""The matrix of many runs: providers down, hosts across, tier and families in each cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from conformance.certificate.loading import Loaded
from conformance.results.json_input import shown
from conformance.results.ledger import ledger, partial_because
from conformance.results.run import Run, SubjectKind, SubjectRun
from conformance.results.tiers import Tier, tier_of

from .family_summary import Defect, Share, host_defects, most_common_finding, shares

HOST = "livekit-agents"
WANTING = {
    "failed": "MUST failed",
    "advised": "SHOULD failed",
    "blocked": "blocked",
    "expected": "expected to fail",
}
"""The lists of a `Share`, with their titles."""
_ORDER: tuple[SubjectKind, ...] = ("host", "endpoint", "provider")


@dataclass(frozen=True)
class Cell:
    """One cell: a subject's results on one host.

    ``version`` is the plugin's. ``remark`` is what most failures have in common, where the subject
    is not a provider; such a one has no tier.
    """

    version: str
    tier: Tier | None
    partial: bool
    shares: tuple[Share, ...]
    defects: tuple[Defect, ...]
    remark: str
    account: str
    source: str
    finished: str

    @property
    def word(self) -> str:
        """The tier in words, or that there is none to be had; nothing where none is given."""
        if self.partial:
            return "partial run"
        if self.tier is None:
            return ""
        return "no tier" if self.tier is Tier.NONE else self.tier.value

    @property
    def wanting(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Requirements that do not hold, for each of `WANTING`."""
        found = (
            (title, tuple(id for share in self.shares for id in getattr(share, name)))
            for name, title in WANTING.items()
        )
        return tuple((title, ids) for title, ids in found if ids)


@dataclass(frozen=True)
class Row:
    """One subject. For each host a cell for each version of the plugin that was run there."""

    kind: SubjectKind
    name: str
    distribution: str
    cells: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class DefectRow:
    """One defect of the host: for each host the requirements that it has blocked there."""

    id: str
    text: str
    requirements: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Matrix:
    """Subjects by hosts: the host itself first. ``hosts`` are versions, oldest first."""

    hosts: tuple[str, ...]
    rows: tuple[Row, ...]
    defects: tuple[DefectRow, ...]
    revisions: tuple[str, ...]
    kits: tuple[str, ...]


def make_matrix(loaded: Sequence[Loaded]) -> Matrix:
    """The matrix of these runs.

    Of two runs of one version of a plugin on one host the one that ended later counts.
    """
    found: dict[tuple[SubjectKind, str, str], dict[tuple[str, str], Cell]] = {}
    for source in loaded:
        host = source.run.host.get(HOST, "?")
        for subject in source.run.subjects:
            key = (subject.kind, subject.name, subject.distribution or "")
            cell = _cell(source, subject)
            row = found.setdefault(key, {})
            at = (host, cell.version)
            if at not in row or row[at].finished <= cell.finished:
                row[at] = cell
    hosts = sorted({host for row in found.values() for host, _ in row}, key=_by_version)
    rows = tuple(
        Row(*key, tuple(_on_host(found[key], host) for host in hosts))
        for key in sorted(found, key=lambda key: (_ORDER.index(key[0]), *key[1:]))
    )
    runs = [source.run for source in loaded]
    order = list(dict.fromkeys(id for run in runs for id in run.requirements))
    return Matrix(
        tuple(hosts),
        rows,
        _defects(rows, order),
        tuple(sorted({run.revision for run in runs})),
        tuple(sorted({run.kit for run in runs}, key=_by_version)),
    )


def _on_host(row: dict[tuple[str, str], Cell], host: str) -> tuple[Cell, ...]:
    cells = (cell for (version, _), cell in row.items() if version == host)
    return tuple(sorted(cells, key=lambda cell: _by_version(cell.version)))


def _cell(source: Loaded, subject: SubjectRun) -> Cell:
    run = source.run
    provider = subject.kind == "provider"
    return Cell(
        version=subject.version or ("?" if provider else ""),
        tier=tier_of(run, subject) if provider else None,
        partial=_is_partial(run),
        shares=shares(run, subject),
        defects=host_defects(subject),
        remark="" if provider else most_common_finding(subject),
        account=str(ledger(subject)),
        source=shown(source.path.name),
        finished=source.certificate.issued.isoformat()
        if source.certificate
        else run.timing.finished,
    )


def _is_partial(run: Run) -> bool:
    return bool(partial_because(run)) or not run.selection.whole


def _defects(rows: Sequence[Row], order: Sequence[str]) -> tuple[DefectRow, ...]:
    texts: dict[str, str] = {}
    blocked: dict[str, list[set[str]]] = {}
    for row in rows:
        for column, cells in enumerate(row.cells):
            for defect in (defect for cell in cells for defect in cell.defects):
                texts.setdefault(defect.id, defect.text)
                of = blocked.setdefault(defect.id, [set() for _ in row.cells])
                of[column].update(defect.requirements)
    return tuple(
        DefectRow(
            name,
            texts[name],
            tuple(tuple(sorted(ids, key=order.index)) for ids in blocked[name]),
        )
        for name in sorted(texts)
    )


def _by_version(text: str) -> tuple[int, Version | str]:
    try:
        return (1, Version(text))
    except InvalidVersion:
        return (0, text)
