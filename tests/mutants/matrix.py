"""The kill matrix: what every check says of every mutant, and what is wrong with that."""

from __future__ import annotations

import logging
import multiprocessing
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

from conformance.plugin.provider import Provider
from conformance.results.outcomes import Outcome
from conformance.suite.runner.runner import Subject
from conformance.suite.scene.host_chain import EndpointSwap

from . import load
from .judging import Verdict, chain_subject, complaints, judge, killed, subject_of
from .mutant import MUTANTS, Kill, SoundAdapter
from .of_chains import CHAINS
from .pausing_provider import PausingAdapter
from .socket_provider import SocketAdapter

SOUND = {
    "sound": SoundAdapter,
    "sound-socket": SocketAdapter,
    "sound-pausing": PausingAdapter,
}
"""The providers that every check must let pass; the mutants are changes to them."""
SOUND_CHAIN = "sound-chain"


@dataclass(frozen=True)
class Row:
    """One subject and every check's verdict on it; a sound one is to be killed by none."""

    name: str
    kills: tuple[Kill, ...]
    story: str
    verdicts: tuple[Verdict, ...]
    sound: bool = False

    def problems(self) -> Iterator[str]:
        """What is wrong with it, one line each."""
        if self.sound:
            for v in self.verdicts:
                if v.outcome not in (Outcome.PASSED, Outcome.NOT_APPLICABLE):
                    yield f"{self.name}: {v.name} {v.outcome.value} a sound provider: {v.says}"
        else:
            yield from complaints(self.name, self.kills, self.verdicts)
            for v in self.verdicts:
                if v.outcome is Outcome.ERROR:
                    yield f"{self.name}: {v.name} broke: {v.says}"

    @property
    def killed_by(self) -> frozenset[str]:
        """The checks that failed it for a reason that it states."""
        return killed(self.kills, self.verdicts)

    @property
    def coupled(self) -> tuple[str, ...]:
        """The requirements whose checks fail it too, though it is not made for them."""
        stated = {kill.requirement for kill in self.kills}
        return tuple(
            dict.fromkeys(v.check for v in self.verdicts if v.failed and v.check not in stated)
        )


@dataclass(frozen=True)
class Matrix:
    """Every row, sound ones first."""

    rows: tuple[Row, ...]

    def unkilled(self) -> tuple[str, ...]:
        """The checks, variants included, that no mutant is killed by."""
        applicable = dict.fromkeys(
            v.name
            for row in self.rows
            for v in row.verdicts
            if v.outcome is not Outcome.NOT_APPLICABLE
        )
        dead = {name for row in self.rows for name in row.killed_by}
        return tuple(name for name in applicable if name not in dead)

    def problems(self, *, coverage: bool = True) -> tuple[str, ...]:
        """What is wrong, one line each; ``coverage`` asks that every check kills a mutant."""
        lines = [line for row in self.rows for line in row.problems()]
        if coverage:
            lines += [f"no mutant is killed by {name}: can it fail?" for name in self.unkilled()]
        return tuple(lines)

    def kills(self) -> dict[str, list[str]]:
        """The mutants that each requirement's checks kill."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            for requirement in sorted({name.partition("[")[0] for name in row.killed_by}):
                found.setdefault(requirement, []).append(row.name)
        return {requirement: sorted(found[requirement]) for requirement in sorted(found)}


def names() -> tuple[str, ...]:
    """Every row's name: the sound subjects, and the mutants."""
    load()
    return (*SOUND, SOUND_CHAIN, *MUTANTS, *CHAINS)


def aimed_at(requirement: str) -> tuple[str, ...]:
    """The mutants that are made for a requirement's checks."""
    load()
    made = {**MUTANTS, **CHAINS}
    return tuple(
        name for name, m in made.items() if any(k.requirement == requirement for k in m.kills)
    )


def row(name: str, only: frozenset[str] | None = None) -> Row:
    """Judge one subject by every check, or by those of ``only``."""
    load()
    if name in SOUND:
        subject = subject_of(_sound(name))
        return Row(name, (), "", judge(subject, only=only), sound=True)
    if name == SOUND_CHAIN:
        return Row(name, (), "", judge(chain_subject(EndpointSwap(), name), only=only), sound=True)
    mutant = CHAINS.get(name) or MUTANTS[name]
    verdicts = judge(_subject(name), only=only, effect=mutant.effect)
    kills = tuple(k for k in mutant.kills if only is None or k.requirement in only)
    return Row(name, kills, mutant.story, verdicts)


def _subject(name: str) -> Subject:
    if name in CHAINS:
        return chain_subject(CHAINS[name].kit(), name)
    return subject_of(MUTANTS[name].provider())


def _sound(name: str) -> Provider:
    return Provider(SOUND[name](), label=name, origin="the mutants' base", source="bundled")


def run(
    selected: Sequence[str],
    *,
    only: Collection[str] | None = None,
    processes: int = 1,
    progress: Callable[[Row], None] = lambda row: None,
) -> Matrix:
    """Judge the subjects called ``selected``, in ``processes`` processes.

    ``progress`` is told of each row as soon as it is there, in order.
    """
    wanted = frozenset(only) if only is not None else None
    rows: list[Row] = []
    with ExitStack() as stack:
        if processes == 1:
            judged = map(row, selected, [wanted] * len(selected))
        else:
            spawn = multiprocessing.get_context("spawn")
            pool = stack.enter_context(ProcessPoolExecutor(processes, spawn, initializer=silence))
            judged = pool.map(row, selected, [wanted] * len(selected))
        for done in judged:
            rows.append(done)
            progress(done)
    return Matrix(tuple(rows))


def silence() -> None:
    """Log nothing: a broken provider has much to say."""
    logging.lastResort = logging.NullHandler()  # type: ignore[assignment]
