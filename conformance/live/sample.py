"""Which checks are compared where all of them would take too long in real time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from conformance.outcomes import CheckId

ALL_OF = 3
"""Up to so many variants of a check are played for every provider."""
SHARE = 2
"""How many variants each provider plays of a check that has more."""


def sample(checks: Sequence[CheckId]) -> tuple[CheckId, ...]:
    """Every check of every provider; of one with many variants some, other ones for each provider.

    ``checks`` are in the order of a plan. Where there are enough providers, every variant of a
    check is played for some of them.
    """
    order = {name: number for number, name in enumerate(dict.fromkeys(c.provider for c in checks))}
    chosen: list[CheckId] = []
    for (provider, _), variants in groupby(checks, lambda c: (c.provider, c.requirement)):
        chosen.extend(_some(list(variants), order[provider]))
    return tuple(chosen)


def _some(variants: Sequence[CheckId], turn: int) -> Iterator[CheckId]:
    if len(variants) <= ALL_OF:
        yield from variants
        return
    first = turn * SHARE
    wanted = {(first + number) % len(variants) for number in range(SHARE)}
    yield from (check for number, check in enumerate(variants) if number in wanted)


__all__ = ["sample"]
