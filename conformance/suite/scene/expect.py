"""How a check says what it expects."""

from __future__ import annotations

import difflib
from typing import NoReturn

from conformance.results.outcomes import Finding, Violation


def expect(
    holds: bool, expected: str, observed: str, *, hint: str = "", at: float | None = None
) -> None:
    """Raise `Violation` unless ``holds``; ``hint`` is a fix that is likely here."""
    __tracebackhide__ = True  # a debugger enters in the check
    if not holds:
        raise Violation(Finding(expected, observed, hint, at))


def fail(expected: str, observed: str, *, hint: str = "", at: float | None = None) -> NoReturn:
    """Raise `Violation`; ``hint`` is a fix that is likely here."""
    __tracebackhide__ = True
    raise Violation(Finding(expected, observed, hint, at))


def seconds(value: float) -> str:
    """A duration in words."""
    return f"{value:.3f} s"


def audio_difference(expected: bytes, got: bytes, sample_rate: int) -> str:
    """Where two stretches of 16 bit mono PCM differ, in words."""
    length = f"{len(got) / 2 / sample_rate:.3f} s of {len(expected) / 2 / sample_rate:.3f} s"
    if not got:
        return "none of the audio"
    if len(got) > len(expected) and got.startswith(expected):
        return f"the audio and {(len(got) - len(expected)) / 2 / sample_rate:.3f} s more"
    if expected.startswith(got):
        return f"only the first {length}"
    if expected.endswith(got):
        return f"only the last {length}"
    if got in expected:
        return f"a piece from the middle, {length}"
    step = max(2, sample_rate // 50 * 2)
    blocks = [expected[i : i + step] for i in range(0, len(expected), step)]
    heard = [got[i : i + step] for i in range(0, len(got), step)]
    matcher = difflib.SequenceMatcher(None, blocks, heard, autojunk=False)
    for tag, i1, i2, j1, j2 in matcher.get_opcodes():
        if tag != "equal":
            what = {"delete": "missing", "insert": "not of this speech", "replace": "other"}[tag]
            return f"{length}, {max(i2 - i1, j2 - j1) * 20} ms {what} at {i1 * 20} ms"
    return f"{length}, different in its last samples"
