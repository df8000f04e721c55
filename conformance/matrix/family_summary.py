"""Summarise one subject by family of requirements; and the host's defects that showed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from conformance.results.display_state import State, state_of, worst
from conformance.results.outcomes import CheckId, HostDefectRef, Outcome
from conformance.results.run import Run, SubjectRun

_ADDED = {State.ERROR: " (error)", State.NOT_RUN: " (not run)"}
MARKS = {"failed": "✕", "blocked": "⊘", "advised": "!", "expected": "~", "held": "✓"}
_GRAVE = (State.ERROR, State.FAILED, State.NOT_RUN)


@dataclass(frozen=True)
class Share:
    """How many requirements of one family hold, of those that apply, and which do not.

    Each requirement is counted once, by the worst of its variants. ``failed`` has every MUST that
    failed, ``advised`` every SHOULD. All are ids, with a word where there is more to say:
    "PLAY-01 (error)", "SWAP-09 (by beta)". What is ``blocked`` without one is blocked by the host.
    """

    family: str
    asked: int
    failed: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    advised: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()

    @property
    def held(self) -> int:
        """How many hold."""
        parts = (self.failed, self.blocked, self.advised, self.expected)
        return self.asked - sum(map(len, parts))

    @property
    def name(self) -> str:
        """The gravest that there is in the family."""
        names = ("failed", "blocked", "advised", "expected")
        return next((name for name in names if getattr(self, name)), "held")

    @property
    def mark(self) -> str:
        """The same as a sign."""
        return MARKS[self.name]


@dataclass(frozen=True)
class Defect:
    """A defect of the host, and the requirements that a provider could not be judged by for it."""

    id: str
    text: str
    requirements: tuple[str, ...]


def shares(run: Run, subject: SubjectRun) -> tuple[Share, ...]:
    """The account of one subject, by family; what is not scored is left out."""
    asked = dict.fromkeys(
        check_id.requirement
        for check_id in (*subject.expected, *(result.id for result in subject.results))
        if run.requirements[check_id.requirement].scored
    )
    found: dict[str, list[tuple[str, State]]] = {}
    for requirement in asked:
        state = worst(_states(subject, requirement))
        if state is not State.NOT_APPLICABLE:
            found.setdefault(run.requirements[requirement].family, []).append((requirement, state))
    return tuple(_share(subject, family, states) for family, states in found.items())


def host_defects(subject: SubjectRun) -> tuple[Defect, ...]:
    """The host's defects that have blocked checks of ``subject``, as the results name them."""
    texts: dict[str, str] = {}
    blocked: dict[str, dict[str, None]] = {}
    for result in subject.results:
        by = result.blocked_by
        if isinstance(by, HostDefectRef):
            texts.setdefault(by.id, by.text or result.reason)
            blocked.setdefault(by.id, {})[result.id.requirement] = None
    return tuple(Defect(name, text, tuple(blocked[name])) for name, text in texts.items())


def most_common_finding(subject: SubjectRun) -> str:
    """The commonest finding of several failures; empty where there is none."""
    failed = [r for r in subject.results if r.outcome is Outcome.FAILED and r.finding]
    observed = Counter(result.finding.observed for result in failed if result.finding)
    for words, count in observed.most_common(1):
        if 2 * count > len(failed) > 2:
            return words
    return ""


def abbreviate_ids(names: Iterable[str]) -> str:
    """Ids with their families said once, and neighbours as a range: ``SWAP-01 to 03, 09``."""
    groups = groupby(names, key=lambda name: name.partition("-")[0])
    return ", ".join(_of_family(family, tuple(of)) for family, of in groups)


def _of_family(family: str, names: Sequence[str]) -> str:
    stretches: list[list[str]] = []
    for number in (name.removeprefix(f"{family}-") for name in names):
        if stretches and _follows(stretches[-1][-1], number):
            stretches[-1].append(number)
        else:
            stretches.append([number])
    parts = [
        f"{stretch[0]} to {stretch[-1]}" if len(stretch) > 2 else ", ".join(stretch)
        for stretch in stretches
    ]
    return f"{family}-{', '.join(parts)}"


def _follows(number: str, following: str) -> bool:
    plain = number.isdecimal() and following.isdecimal()
    return plain and int(following) == int(number) + 1


def _share(subject: SubjectRun, family: str, states: Sequence[tuple[str, State]]) -> Share:
    def of(*wanted: State) -> Iterator[tuple[str, State]]:
        return ((name, state) for name, state in states if state in wanted)

    return Share(
        family,
        len(states),
        tuple(name + _ADDED.get(state, "") for name, state in of(*_GRAVE)),
        tuple(name + _by_whom(subject, name) for name, _ in of(State.BLOCKED)),
        tuple(name for name, _ in of(State.SHOULD)),
        tuple(name for name, _ in of(State.EXPECTED)),
    )


def _states(subject: SubjectRun, requirement: str) -> list[State]:
    ran = {r.id: state_of(r) for r in subject.results if r.id.requirement == requirement}
    asked = [check_id for check_id in subject.expected if check_id.requirement == requirement]
    return [ran.get(check_id, State.NOT_RUN) for check_id in dict.fromkeys((*asked, *ran))]


def _by_whom(subject: SubjectRun, requirement: str) -> str:
    # nothing where the host blocks it: that is the rule, and everything else the exception
    blockers = [
        result.blocked_by
        for result in subject.results
        if result.id.requirement == requirement and result.blocked_by is not None
    ]
    checks = [by for by in blockers if isinstance(by, CheckId)]
    if not checks or len(checks) < len(blockers):
        return ""
    by = checks[0]
    own = CheckId("", by.requirement, by.variant)
    return f" (by {str(own).removeprefix('::') if by.provider == subject.name else by.provider})"
