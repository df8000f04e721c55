"""How a check is declared, and the list of all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from conformance.plugin.manifest import Manifest

CheckFunction = Callable[..., Awaitable[None]]
F = TypeVar("F", bound=CheckFunction)
Rule = Callable[["Manifest"], "str | None"]

CLOSE_THEN_START = "close-then-start"
START_THEN_CLOSE = "start-then-close"
BOTH_ORDERS = (CLOSE_THEN_START, START_THEN_CLOSE)


@dataclass(frozen=True)
class Check:
    """One check of one requirement: ``await function(scene)`` or ``(scene, variant)``.

    It returns when the requirement holds and raises `Violation` when it does not. ``exempt`` gives
    the rule that makes it not applicable to a manifest, or None.
    """

    requirement: str
    function: CheckFunction
    variants: tuple[str, ...] = ()
    exempt: Rule | None = None
    for_peers: bool = False
    """Whether there is a variant ``to-NAME`` for each provider of the run."""

    @property
    def where(self) -> str:
        """The import path of the check, as a breakpoint wants it."""
        return f"{self.function.__module__}:{self.function.__qualname__}"


_CHECKS: list[Check] = []


def check(
    requirement: str,
    *,
    variants: Sequence[str] = (),
    exempt: Rule | None = None,
    for_peers: bool = False,
) -> Callable[[F], F]:
    """Declare the decorated coroutine function as the check of ``requirement``."""

    def declare(function: F) -> F:
        _CHECKS.append(Check(requirement, function, tuple(variants), exempt, for_peers))
        return function

    return declare


def registered() -> tuple[Check, ...]:
    """Every check declared so far, in the order of declaration."""
    return tuple(_CHECKS)


__all__ = [
    "BOTH_ORDERS",
    "CLOSE_THEN_START",
    "START_THEN_CLOSE",
    "Check",
    "check",
    "registered",
]
