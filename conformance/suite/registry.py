"""How a check is declared, and the list of all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from conformance.plugin.manifest import Manifest

    from .scene.resources import ResourceSnapshot
    from .scene.scene import Scene

CheckFunction = Callable[..., "Awaitable[None] | str | None"]
Scenario = Callable[..., Awaitable[Any]]
NEVER_EMPTY = ("FAULT", "SEC", "UNBIND")
"""The families of which no check passes that has tried nothing."""

F = TypeVar("F", bound=CheckFunction)
Rule = Callable[["Manifest"], "str | None"]


@dataclass(frozen=True)
class Check:
    """One check of one requirement: ``await function(scene)`` or ``(scene, variant)``.

    It returns when the requirement holds and raises `Violation` when it does not. ``exempt`` gives
    the rule that makes it not applicable to a manifest, or None.

    With ``scenario``, a scenario that takes what a check takes, the function is a plain one. It is
    called after that has been played, with what it returned in place of the scene, and returns
    what there is to note, if anything. Checks with the same scenario are judged by one playing.
    """

    requirement: str
    function: CheckFunction
    variants: tuple[str, ...] = ()
    exempt: Rule | None = None
    for_peers: bool = False
    """Whether there is a variant ``to-NAME`` for each provider of the run."""
    scenario: Scenario | None = None
    control: Callable[[Scene], Awaitable[ResourceSnapshot]] | None = None
    """Is played with the reference provider; what it returns is the function's ``allowed``."""
    needs_avatar: bool = True
    """Whether it cannot be judged where the plugin's constructor raises."""
    exchange: bool = False
    """Whether it is also about a switcher that does the exchange (`--exchange switcher`)."""
    virtual_time: str | Mapping[str, str] = ""
    """Why it is not played in real time, in words; by variant where only some are not."""
    tries: str = ""
    """What it must have tried at least once to be a pass: a name of `scene.tried.TRIED`.

    By default a start, in the families of `NEVER_EMPTY`.
    """

    def needs_virtual_time(self, variant: str | None) -> str | None:
        """The rule by which it is not applicable in real time, or None if it is played."""
        what = self.virtual_time
        if not isinstance(what, str):
            what = what.get(variant or "", "")
        return f"needs virtual time: {what}" if what else None

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
    scenario: Scenario | None = None,
    control: Callable[[Scene], Awaitable[ResourceSnapshot]] | None = None,
    needs_avatar: bool = True,
    exchange: bool = False,
    virtual_time: str | Mapping[str, str] = "",
    tries: str = "",
) -> Callable[[F], F]:
    """Declare the decorated function as the check of ``requirement``; see `Check`."""

    if not tries and requirement.partition("-")[0] in NEVER_EMPTY:
        tries = "starts"

    def declare(function: F) -> F:
        _CHECKS.append(
            Check(
                requirement,
                function,
                tuple(variants),
                exempt,
                for_peers,
                scenario,
                control,
                needs_avatar,
                exchange,
                virtual_time,
                tries,
            )
        )
        return function

    return declare


def registered() -> tuple[Check, ...]:
    """Every check declared so far, in the order of declaration."""
    return tuple(_CHECKS)


__all__ = [
    "Check",
    "check",
    "registered",
]
