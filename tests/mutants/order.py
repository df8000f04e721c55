"""Whether what is ready at the same moment decides verdicts: it must not."""

from __future__ import annotations

import importlib
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from conformance.plugin.provider import Provider
from conformance.suite.runner.runner import Subject

from .judging import judge, subject_of
from .mutant import SoundAdapter

STEADY = ("sound", "anam", "liveavatar")
"""The subjects that are judged in many orders: a sound one, and two published plugins."""


def subject(name: str) -> Subject:
    """The sound provider, or a bundled adapter's."""
    if name == "sound":
        adapter: object = SoundAdapter()
    else:
        adapter = importlib.import_module(f"vendor_adapters.{name}")
    return subject_of(Provider(adapter, label=name, origin="an order", source="bundled"))


def outcomes(name: str, seed: int | None, only: frozenset[str] | None = None) -> dict[str, str]:
    """Every check's outcome by its id; ``seed`` shuffles what is ready at the same moment."""
    verdicts = judge(subject(name), only=only, seed=seed)
    return {v.name: v.outcome.value for v in verdicts}


def differences(
    name: str, seed: int, plain: dict[str, str], only: frozenset[str] | None = None
) -> Iterator[str]:
    """What a seed changes, one line each."""
    shuffled = outcomes(name, seed, only)
    for check, outcome in plain.items():
        if shuffled[check] != outcome:
            yield f"{name}: {check} is {outcome}, and {shuffled[check]} with seed {seed}"


def unsteady(count: int, *, processes: int) -> list[str]:
    """What ``count`` seeds change for the subjects of `STEADY`, one line each."""
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        return [line for lines in pool.map(_of, STEADY, [count] * len(STEADY)) for line in lines]


def _of(name: str, count: int) -> Sequence[str]:
    plain = outcomes(name, None)
    return [line for seed in range(1, count + 1) for line in differences(name, seed, plain)]
