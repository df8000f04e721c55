"""A tiny suite in the place of the real one, for tests of the pytest plugin.

Loaded with ``-p fake_kit`` in a process of its own. The environment says what it does:
``FAKE_OUTCOMES`` maps a check id to what its check does, ``FAKE_DEVIATIONS`` a provider to its
known deviations, ``FAKE_UNCHECKED`` names requirements without a check.
"""

from __future__ import annotations

import asyncio
import json
import logging
import multiprocessing
import os
import signal
import sys
import types
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from conformance.errors import KitError, UsageError
from conformance.plugin import watchdog
from conformance.plugin.manifest import Manifest
from conformance.results.deviation import Deviation
from conformance.results.outcomes import (
    CheckId,
    CheckResult,
    Finding,
    Level,
    NotApplicable,
    Outcome,
    Violation,
    blocker_from_text,
)
from conformance.results.timeline import Event
from conformance.stage.interface import StageLost
from conformance.suite.registry import Check
from conformance.suite.runner.verdict import Verdict, run_guarded
from conformance.suite.scene.swap_order import BOTH_ORDERS

CANARY = "canary-acme-key-0123456789abcdef"
OUTCOMES: Mapping[str, str] = json.loads(os.environ.get("FAKE_OUTCOMES", "{}"))
DEVIATIONS: Mapping[str, Any] = json.loads(os.environ.get("FAKE_DEVIATIONS", "{}"))
UNCHECKED = os.environ.get("FAKE_UNCHECKED", "").split(",")


@dataclass(frozen=True)
class Requirement:
    id: str
    family: str
    level: Level
    text: str
    why: str = "because"
    capability: str | None = None
    excluded: str = ""
    since: str = "2026.1"
    hint: str = "read the manual"
    source: str = "livekit.agents"

    @property
    def tier(self) -> str:
        return "swap-safe" if self.level is Level.MUST else "robust"


class Catalogue(dict[str, Requirement]):
    revision = "2026.1"

    def scored(self, name: str) -> bool:
        return self[name].since == self.revision


CATALOGUE = Catalogue(
    {
        requirement.id: requirement
        for requirement in (
            Requirement("HOST-01", "HOST", Level.MUST, "One swap point is inserted"),
            Requirement("BIND-01", "BIND", Level.MUST, "start() binds exactly one tail"),
            Requirement("SWAP-01", "SWAP", Level.MUST, "The next segment plays on the new avatar"),
            Requirement("UNBIND-05", "UNBIND", Level.SHOULD, "The vendor's session is ended"),
            Requirement("META-09", "META", Level.MUST, "Not testable", excluded="no way"),
            Requirement("SEC-09", "SEC", Level.MUST, "Newer than the revision", since="2026.2"),
        )
    }
)


@dataclass(frozen=True)
class Provider:
    name: str
    installed_version: str | None = "1.0"
    origin: str = "bundled"

    @property
    def manifest(self) -> Manifest:
        return Manifest(
            name=self.name,
            distribution=f"livekit-plugins-{self.name}",
            avatar_session="acme:AvatarSession",
            exception="acme:Error",
            transport="bytestream",
            hosts=("api.acme.test",),
        )

    def known_deviations(self) -> tuple[Deviation, ...]:
        return tuple(Deviation.from_json(data) for data in DEVIATIONS.get(self.name, []))


@dataclass(frozen=True)
class Subject:
    name: str
    checks: tuple[Check, ...]
    provider: Provider | None = None


@dataclass(frozen=True)
class Scene:
    id: CheckId


async def the_check(scene: Scene, variant: str | None = None) -> None:
    """The one check of this suite: does what FAKE_OUTCOMES says."""
    await asyncio.sleep(0)
    doing = OUTCOMES.get(str(scene.id), OUTCOMES.get(scene.id.requirement, "pass"))
    what, _, text = doing.partition(":")
    if what == "fail":
        raise Violation(Finding("a tail", text or "no tail", "bind one", 1.5))
    if what == "not-applicable":
        raise NotApplicable(text or "the manifest claims no such thing")
    if what == "lost":
        raise StageLost(text or "the server went away")
    if what == "error":
        raise KitError(text or "the stage fell over")
    if what == "warn":
        import warnings

        warnings.warn(text or "old call", UserWarning if text else DeprecationWarning, stacklevel=1)
    if what == "say":
        print(text)
        print(text, file=sys.stderr)
        raise RuntimeError(text)
    if what == "interrupt":
        raise KeyboardInterrupt
    if what == "break":
        breakpoint()
    if what == "endless":
        watchdog._AGAIN_AFTER = 0.001
        with watchdog.watchdog(0.01):
            while True:
                with suppress(BaseException):
                    while True:
                        pass
    if what == "log":
        for name in (
            "conformance.loopback",
            "conformance.endpoint.switcher",
            "livekit.plugins.acme",
        ):
            logging.getLogger(name).error("said by %s", name)
        raise Violation(Finding("a tail", "no tail", "bind one", 1.5))
    if what == "exit":
        os._exit(int(text))
    if what == "ctrl-c":
        os.kill(os.getppid(), signal.SIGINT)
        signal.pause()
    if what == "process":
        raise Violation(Finding("a process", str(multiprocessing.current_process().name), "", 0.0))


the_check.__module__ = "conformance.suite.fake"

CHECKS = tuple(
    Check(name, the_check, BOTH_ORDERS if name == "SWAP-01" else ())
    for name, requirement in CATALOGUE.items()
    if not requirement.excluded and name not in UNCHECKED
)


def subjects(providers: Any) -> tuple[Subject, ...]:
    """Stand in for the runner's."""
    of_host = tuple(check for check in CHECKS if check.requirement.startswith("HOST"))
    rest = tuple(check for check in CHECKS if not check.requirement.startswith("HOST"))
    return (
        Subject("host", of_host),
        Subject("endpoint", of_host),
        *(Subject(provider.name, rest, provider) for provider in providers),
    )


EVENTS = (Event(1.0, "agent", "said", "", {"seconds": 0.5}), Event(1.5, "tail", "bound", "new"))


class FakeCheckRunner:
    """Stands in for `CheckRunner`: no scene, no stage, no attribution."""

    def __init__(
        self,
        stage: object,
        *,
        seed: int | None = None,
        exchange: str = "plain",
        mends: bool = True,
    ) -> None:
        pass

    def run(self, subject: Subject, check: Check, variant: str | None = None) -> CheckResult:
        """Do what FAKE_OUTCOMES says."""
        check_id = CheckId(subject.name, check.requirement, variant)
        doing = OUTCOMES.get(str(check_id), "")
        if doing.startswith("crash"):
            raise RuntimeError("the runner fell over")
        arguments = () if variant is None else (variant,)
        call: Any = check.function(Scene(check_id), *arguments)
        verdict = run_guarded(lambda: asyncio.run(call))
        if doing.startswith("blocked:"):
            by = blocker_from_text(doing.partition(":")[2])
            verdict = Verdict(Outcome.BLOCKED, reason=str(by), blocked_by=by)
        if doing == "host-defect":
            verdict = Verdict(Outcome.EXPECTED_FAILURE, reason="a listed defect")
        return CheckResult(
            check_id,
            CATALOGUE[check.requirement].level,
            verdict.outcome,
            verdict.finding,
            verdict.reason,
            verdict.reference,
            events=EVENTS,
            simulated_seconds=2.0,
            blocked_by=verdict.blocked_by,
            error=verdict.error,
        )


def select(discovered: Any, names: Any = ()) -> tuple[Provider, ...]:
    """Stand in for the one of discovery."""
    known = ("acme", "beta")
    wanted = list(names) or ["acme"]
    if wanted == ["all"]:
        wanted = list(known)
    for name in wanted:
        if name not in known:
            raise UsageError(f"unknown provider {name!r}; known are: {', '.join(known)}")
    return tuple(Provider(name) for name in wanted)


_replaced: list[tuple[Any, str, Any]] = []


def _module(name: str, **attributes: Any) -> None:
    module = types.ModuleType(name)
    vars(module).update(attributes)
    parent, _, attribute = name.rpartition(".")
    holder = sys.modules[parent]
    _replaced.append((holder, attribute, vars(holder).get(attribute)))
    setattr(holder, attribute, module)
    sys.modules[name] = module


def pytest_unconfigure() -> None:
    """Put the real modules back; who restores sys.modules is pytester."""
    while _replaced:
        holder, attribute, real = _replaced.pop()
        if real is None:
            delattr(holder, attribute)
        else:
            setattr(holder, attribute, real)


_module("conformance.suite", __path__=[])
_module("conformance.suite.checks", load=lambda: None)
_module("conformance.suite.runner", __path__=[])
_module("conformance.suite.runner.runner", CheckRunner=FakeCheckRunner)
_module(
    "conformance.suite.runner.subjects",
    subjects=subjects,
    canaries=lambda providers: (CANARY,),
    host_versions=lambda: {"livekit-agents": "1.8.9"},
)
_module("conformance.loopback", __path__=[])
_module("conformance.loopback.stage", LoopbackRunner=object)
_module(
    "conformance.plugin.discovery",
    discover=lambda **_: types.SimpleNamespace(providers={"acme": 1, "beta": 2}),
    select=select,
)
_module("conformance.requirements", load_catalogue=lambda: CATALOGUE)
