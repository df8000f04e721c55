"""The broken chains of the HOST checks' own tests, as mutants of the kit's endpoint."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field

from conformance.suite.scene.host_chain import SwapMechanism
from tests.suite.checks.test_host_chain_broken import BROKEN

from .mutant import Effect, Kill, dashed, watch


@dataclass(frozen=True)
class BrokenChain:
    """A broken way to exchange the tail of a chain, and the checks that must find it out."""

    name: str
    kills: tuple[Kill, ...]
    story: str
    kit: Callable[[], SwapMechanism]
    effect: Effect = field(default_factory=Effect)


def _declared() -> dict[str, BrokenChain]:
    chains: dict[str, BrokenChain] = {}
    for requirement, says, kit in BROKEN:
        made: type = kit.args[0] if isinstance(kit, functools.partial) else kit  # type: ignore[assignment]
        name = f"chain-{dashed(made.__name__)}"
        known = chains.get(name)
        if known is None:
            effect = Effect()
            watch(made, effect)
            known = BrokenChain(name, (), "a chain that is broken by hand", kit, effect)
        check, _, variant = requirement.rstrip("]").partition("[")
        kill = Kill(check, says, variant or None)
        chains[name] = BrokenChain(name, (*known.kills, kill), known.story, known.kit, known.effect)
    return chains


CHAINS = _declared()
