"""The HTML report: one file that opens from disk and asks nothing of any network."""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
from collections.abc import Sequence
from dataclasses import dataclass

import jinja2
from markupsafe import Markup

from conformance.results.display_state import State, state_of
from conformance.results.ledger import ledger, partial_because
from conformance.results.outcomes import CheckResult, HostDefectRef
from conformance.results.run import DeviationUse, Run, SubjectRun
from conformance.results.tiers import tier_of
from conformance.results.verdict import Verdict, verdict

from .html_data import WITH_TIMELINE, for_script, page_data
from .html_matrix import Grid, grids
from .strips import Strip, strips
from .subject_words import gate_in_words, tier_in_words

_SCRIPTS = ("scale.js", "lanes.js", "picture.js", "panel.js", "matrix.js")
_STYLES = ("page.css", "matrix.css", "panel.css", "strips.css")


@dataclass(frozen=True)
class Part:
    """A stretch of a bar that stands for the ledger, in percent of its length."""

    state: State
    count: int
    start: float
    length: float


@dataclass(frozen=True)
class Card:
    """One provider's card on the page."""

    subject: SubjectRun
    tier: str
    tier_words: str
    gate_words: str
    expected: int
    parts: tuple[Part, ...]
    deviations: tuple[DeviationUse, ...]
    host_defects: tuple[str, ...]

    @property
    def sum(self) -> str:
        """The ledger in words: ``expected 137 = 130 passed + 7 failed``."""
        parts = " + ".join(f"{part.count} {part.state.word}" for part in self.parts)
        return f"expected {self.expected} = {parts or '0'}"


@dataclass(frozen=True)
class Page:
    """Variables of the template."""

    run: Run
    verdict: Verdict
    partial: tuple[str, ...]
    cards: tuple[Card, ...]
    grids: tuple[Grid, ...]
    states: tuple[State, ...]
    families: tuple[str, ...]
    with_timeline: str
    strips: tuple[Strip, ...] = ()


def render(run: Run) -> str:
    """The page of ``run``, as text to be written in UTF-8."""
    css = _own_files(_STYLES)
    script = _own_files(_SCRIPTS)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            page=_page(run),
            css=Markup(css),
            script=Markup(script),
            data=Markup(for_script(page_data(run))),
            policy=_policy(css, script),
        )
    )


def _page(run: Run) -> Page:
    tables = grids(run)
    used = {
        cell.state for g in tables for f in g.groups for r in f.rows for cell in r.cells if cell
    }
    return Page(
        run=run,
        verdict=verdict(run),
        partial=partial_because(run),
        cards=tuple(
            _card(run, s) for s in sorted(run.subjects, key=lambda s: s.kind != "provider")
        ),
        grids=tables,
        states=tuple(state for state in State if state in used),
        families=tuple(dict.fromkeys(group.family for table in tables for group in table.groups)),
        with_timeline=" and ".join(WITH_TIMELINE),
        strips=strips(run),
    )


def _card(run: Run, subject: SubjectRun) -> Card:
    provider = subject.kind == "provider"
    return Card(
        subject=subject,
        tier=tier_of(run, subject).value if provider else "",
        tier_words=tier_in_words(run, subject) if provider else "",
        gate_words=gate_in_words(run, subject) if provider else "",
        expected=len(subject.expected),
        parts=_parts(subject),
        deviations=subject.deviations,
        host_defects=_host_defects(subject.results),
    )


def _parts(subject: SubjectRun) -> tuple[Part, ...]:
    counts = dict.fromkeys(State, 0)
    for result in subject.results:
        counts[state_of(result)] += 1
    counts[State.NOT_RUN] = len(ledger(subject).missing)
    total = max(1, sum(counts.values()))
    parts: list[Part] = []
    start = 0.0
    for state in (State.PASSED, *(s for s in State if s is not State.PASSED)):
        if counts[state]:
            length = 100 * counts[state] / total
            parts.append(Part(state, counts[state], round(start, 2), round(length, 2)))
            start += length
    return tuple(parts)


def _host_defects(results: Sequence[CheckResult]) -> tuple[str, ...]:
    """Each defect of the host that blocks some of ``results``, in one line."""
    found: dict[str, list[CheckResult]] = {}
    for result in results:
        if isinstance(result.blocked_by, HostDefectRef):
            found.setdefault(result.blocked_by.id, []).append(result)
    return tuple(
        f"{blocked[0].reason} (blocks {', '.join(str(r.id).partition('::')[2] for r in blocked)})"
        for blocked in found.values()
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_own_file),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["with_code"] = _with_code
    return environment


def _with_code(text: str) -> Markup:
    """``text`` with what is in backticks as code; all of it escaped."""
    pieces = enumerate(text.split("`"))
    return Markup("").join(
        Markup("<code>{}</code>" if n % 2 else "{}").format(p) for n, p in pieces
    )


def _own_files(names: Sequence[str]) -> str:
    return "\n" + "\n".join(_own_file(name) for name in names)


def _own_file(name: str) -> str:
    return (importlib.resources.files(__package__) / "page" / name).read_text("utf-8")


def _policy(css: str, script: str) -> str:
    """A policy that lets the page's own style and script run, and nothing else at all."""
    return (
        "default-src 'none'; img-src data:; "
        f"style-src 'sha256-{_digest(css)}'; script-src 'sha256-{_digest(script)}'"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
