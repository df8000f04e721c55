"""Which checks are compared where all of them would take too long in real time."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from conformance.results.outcomes import CheckId


def sample(checks: Sequence[CheckId]) -> tuple[CheckId, ...]:
    """One variant per provider and requirement; the variant rotates from provider to provider.

    ``checks`` are in the order of a plan. Where there are as many providers as a check has
    variants, each variant is played for one of them at least.
    """
    order = {name: number for number, name in enumerate(dict.fromkeys(c.provider for c in checks))}
    chosen = []
    for (provider, _), group in groupby(checks, lambda c: (c.provider, c.requirement)):
        variants = list(group)
        chosen.append(variants[order[provider] % len(variants)])
    return tuple(chosen)


__all__ = ["sample"]
