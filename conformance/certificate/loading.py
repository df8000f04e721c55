"""A run from a file: from a report, or from a certificate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from conformance.results.from_report import Contradiction, run_of_report
from conformance.results.json_input import (
    NotJson,
    Unreadable,
    parse_json,
    read_json,
    schema_problem,
)
from conformance.results.run import Run
from conformance.results.tiers import Tier

from .envelope import BadSignature, looks_like_envelope, open_envelope
from .model import Certificate, reached_tier
from .statement import from_statement


@dataclass(frozen=True)
class Loaded:
    """A run and where it was read from; ``certificate`` is None for a report."""

    path: Path
    run: Run
    certificate: Certificate | None = None

    @property
    def kind(self) -> Literal["report", "certificate"]:
        """The kind of file."""
        return "report" if self.certificate is None else "certificate"

    @property
    def tier(self) -> Tier:
        """The tier that the run reached."""
        return reached_tier(self.run)


def load(path: Path) -> Loaded:
    """Read a report or a certificate; raises `Unreadable`.

    The signature of a certificate is not looked at: that is `verification.verify`'s.
    """
    data = read_json(path)
    if looks_like_envelope(data):
        try:
            data = parse_json(open_envelope(data).payload)
        except (BadSignature, NotJson) as error:
            raise Unreadable(f"{path}: is a damaged certificate: {error}") from None
    if isinstance(data, dict) and "_type" in data:
        return _certificate(path, data)
    return Loaded(path, _report(path, data))


def load_report(path: Path) -> Run:
    """Read a JSON report, and nothing else; raises `Unreadable`."""
    return _report(path, read_json(path))


def _report(path: Path, data: Any) -> Run:
    if not isinstance(data, dict) or "subjects" not in data or "verdict" not in data:
        raise Unreadable(
            f"{path}: is JSON, but no report; pytest --conformance --conformance-report writes one"
        )
    problem = schema_problem("report", data)
    if problem is not None:
        raise Unreadable(f"{path}: is no report that this kit can read: {problem}")
    try:
        return run_of_report(data)
    except Contradiction as error:
        raise Unreadable(f"{path}: the report contradicts itself: it {error}") from None


def _certificate(path: Path, data: Any) -> Loaded:
    problem = schema_problem("certificate", data)
    if problem is not None:
        raise Unreadable(f"{path}: is no certificate that this kit can read: {problem}")
    try:
        certificate = from_statement(data)
    except Contradiction as error:
        raise Unreadable(f"{path}: the certificate contradicts itself: it {error}") from None
    return Loaded(path, certificate.run, certificate)
