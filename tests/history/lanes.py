"""Which pairs share an environment: plugins do not know each other, so those of one step do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from .pairs import HOST, NEWEST_HOST, Pair

Side = Literal["broken", "mended"]
BESIDE_THE_HOST = ("tavus", "PLAY-06")
"""A provider, and what it is asked where only the host is judged: `diff` compares providers."""


@dataclass(frozen=True)
class Lane:
    """Pairs of which no two ask for the same distribution in different versions."""

    pairs: tuple[Pair, ...]

    @property
    def name(self) -> str:
        """What the pairs of the lane are about."""
        steps = {pair.distribution: f"{pair.broken}-{pair.mended}" for pair in self.pairs}
        return "+".join(f"{name.split('-')[-1]}-{step}" for name, step in sorted(steps.items()))

    def pins(self, side: Side) -> tuple[str, ...]:
        """What is installed over the base for one side, sorted."""
        versions = {pair.distribution: getattr(pair, side) for pair in self.pairs}
        host = self.pairs[0].host
        if host != NEWEST_HOST:
            versions["livekit-agents"] = host
        return tuple(f"{name}=={version}" for name, version in sorted(versions.items()))

    @property
    def selection(self) -> tuple[str, ...]:
        """The options of pytest that ask for the lane's providers and requirements only."""
        providers = {pair.subject for pair in self.pairs} - {HOST}
        requirements = {pair.requirement for pair in self.pairs}
        if not providers:
            provider, requirement = BESIDE_THE_HOST
            providers, requirements = {provider}, requirements | {requirement}
        options = [f"--provider={name}" for name in sorted(providers)]
        return (*options, *(f"--requirement={name}" for name in sorted(requirements)))

    def takes(self, pair: Pair) -> bool:
        """Whether a pair can be judged in the environments of this lane."""
        first = self.pairs[0]
        if (pair.host, pair.subject == HOST) != (first.host, first.subject == HOST):
            return False
        same = (p for p in self.pairs if p.distribution == pair.distribution)
        return all((p.broken, p.mended) == (pair.broken, pair.mended) for p in same)


def pack(pairs: Iterable[Pair]) -> tuple[Lane, ...]:
    """Put the pairs into few lanes, each pair into the first that takes it.

    The table has pairs that ask the same of many plugins one after the other, so that a lane asks
    few providers for what only others are to be asked.
    """
    lanes: list[Lane] = []
    for pair in pairs:
        for number, lane in enumerate(lanes):
            if lane.takes(pair):
                lanes[number] = Lane((*lane.pairs, pair))
                break
        else:
            lanes.append(Lane((pair,)))
    return tuple(lanes)
