"""The mends of the host's known defects: small changes of the installed host, taken back after."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .mend import Mend
from .source import DoesNotApply, Edit, applied, as_diff

HERE = Path(__file__).parent


class NoMend(Exception):
    """Raised for a defect that the installed host cannot be mended of; says why."""


def has_mend(defect: str) -> bool:
    """Whether there is a mend for ``defect`` (``HD-03``), on whatever host."""
    return (HERE / f"{_module(defect)}.py").is_file()


def mend_of(defect: str) -> Mend:
    """The mend for ``defect``; raises `NoMend` where there is none."""
    if not has_mend(defect):
        raise NoMend(f"there is no mend for {defect}")
    mend = importlib.import_module(f"{__name__}.{_module(defect)}").MEND
    assert isinstance(mend, Mend)
    return mend


@contextmanager
def mended(*defects: str) -> Iterator[None]:
    """Mend the installed host of ``defects``, together, in this process; taken back afterwards.

    Raises `NoMend` where there is none, or none for the installed version.
    """
    with applied(_edits(defects)):
        yield


def mend_as_diff(defect: str) -> str:
    """The mend of ``defect`` as a unified diff against the installed host; raises `NoMend`."""
    return as_diff(_edits((defect,)))


def reproduction(defect: str) -> Path:
    """The script that shows ``defect`` with livekit-agents alone: it fails where that has it."""
    return HERE / "reproductions" / f"{_module(defect)}.py"


def _edits(defects: tuple[str, ...]) -> tuple[Edit, ...]:
    chosen: tuple[Edit, ...] = ()
    for defect in defects:
        try:
            chosen += mend_of(defect).edits(chosen)
        except DoesNotApply as misfit:
            raise NoMend(
                f"the mend of {defect} does not fit this livekit-agents: {misfit}"
            ) from None
    return chosen


def _module(defect: str) -> str:
    return defect.lower().replace("-", "_")


__all__ = [
    "Mend",
    "NoMend",
    "has_mend",
    "mend_as_diff",
    "mend_of",
    "mended",
    "reproduction",
]
