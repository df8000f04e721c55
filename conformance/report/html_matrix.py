"""The matrix of the page: requirements down, subjects across, the worst of the variants in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from conformance.results.display_state import State, state_of, worst
from conformance.results.outcomes import CheckId
from conformance.results.run import RequirementFacts, Run, SubjectRun

FAMILIES = {
    "HOST": "the host's chain of audio outputs",
    "BIND": "starting an avatar",
    "SWAP": "one avatar replaced by another",
    "UNBIND": "closing an avatar",
    "PLAY": "playing what is said",
    "FAULT": "a vendor that fails",
    "SEC": "secrets and the network",
    "META": "the package",
    "WORK": "the vendor's own worker, by ear",
}


@dataclass(frozen=True)
class Cell:
    """One subject and one requirement; ``share`` is how many variants the worst state has."""

    subject: str
    requirement: str
    state: State
    share: str = ""

    @property
    def words(self) -> str:
        """The cell's text for a screen reader."""
        return f"{self.state.word}, {self.share} variants" if self.share else self.state.word


@dataclass(frozen=True)
class Row:
    """One requirement; None where a subject is not asked for it."""

    facts: RequirementFacts
    cells: tuple[Cell | None, ...]

    @property
    def text(self) -> str:
        """The text that the page's filter searches."""
        return " ".join((self.facts.id, self.facts.text, self.facts.why)).lower()


@dataclass(frozen=True)
class Group:
    """The rows of one family."""

    family: str
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Grid:
    """One table; ``name`` tells it apart in the page."""

    name: str
    title: str
    subjects: tuple[SubjectRun, ...]
    groups: tuple[Group, ...]


def grids(run: Run) -> tuple[Grid, ...]:
    """The providers' table, then that of the host and the kit's endpoint; empty ones left out."""
    providers = tuple(s for s in run.subjects if s.kind == "provider" and s.expected)
    others = tuple(s for s in run.subjects if s.kind != "provider" and s.expected)
    tables = (("providers", "Providers", providers), ("hosts", "Host and endpoint", others))
    return tuple(
        Grid(name, title, subjects, _groups(run, subjects))
        for name, title, subjects in tables
        if subjects
    )


def _groups(run: Run, subjects: Sequence[SubjectRun]) -> tuple[Group, ...]:
    asked = {i.requirement for subject in subjects for i in subject.expected}
    states = [_states(subject) for subject in subjects]
    shown = [facts for facts in run.requirements.values() if facts.id in asked]
    return tuple(
        Group(
            family,
            FAMILIES.get(family, ""),
            tuple(
                Row(
                    facts,
                    tuple(
                        _cell(subject.name, facts.id, of.get(facts.id, ()))
                        for subject, of in zip(subjects, states, strict=True)
                    ),
                )
                for facts in shown
                if facts.family == family
            ),
        )
        for family in dict.fromkeys(facts.family for facts in shown)
    )


def _states(subject: SubjectRun) -> dict[str, list[State]]:
    results = {result.id: state_of(result) for result in subject.results}
    states: dict[str, list[State]] = {}
    for check_id in _every(subject):
        states.setdefault(check_id.requirement, []).append(results.get(check_id, State.NOT_RUN))
    return states


def _every(subject: SubjectRun) -> tuple[CheckId, ...]:
    return tuple(dict.fromkeys((*subject.expected, *(r.id for r in subject.results))))


def _cell(subject: str, requirement: str, states: Sequence[State]) -> Cell | None:
    if not states:
        return None
    gravest = worst(states)
    count = sum(state is gravest for state in states)
    return Cell(
        subject,
        requirement,
        gravest,
        f"{count} of {len(states)}" if count < len(states) else "",
    )
