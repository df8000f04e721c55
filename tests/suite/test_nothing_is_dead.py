"""Every way in which the stage can misbehave is used by a check: what no check uses is dead."""

from __future__ import annotations

import dataclasses
import inspect
import re
from functools import cache
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import conformance.suite.checks
from conformance.plugin.worker import Behaviour
from conformance.stage.faults import Fault, FaultKind
from conformance.stage.interface import Backend, Server
from conformance.suite.registry import registered

OF_ADAPTERS = {"hears_before_video"}
"""What is a vendor's own: its adapter sets it."""

NOT_ASKED = {"notify_started", "notify_finished"}
"""An avatar that reports nothing, ever: no requirement asks for it yet."""

SUITE = Path(str(conformance.suite.checks.__file__)).parents[1]
CLEARS = get_args(get_type_hints(Behaviour)["clear"])


@cache
def sources() -> str:
    """The code of the checks and their scenes."""
    return "\n".join(path.read_text("utf-8") for path in sorted(SUITE.rglob("*.py")))


@cache
def variants() -> frozenset[str]:
    """Every variant of every check."""
    conformance.suite.checks.load()
    return frozenset(variant for check in registered() for variant in check.variants)


def calls(protocol: type) -> list[str]:
    """The methods of a protocol."""
    return [
        name
        for name, member in vars(protocol).items()
        if inspect.isfunction(member) and not name.startswith("_")
    ]


@pytest.mark.parametrize("kind", get_args(FaultKind))
def test_every_fault_is_shown_by_a_check(kind: FaultKind) -> None:
    """A check has it as a variant, or puts it in place itself."""
    assert str(Fault(kind)) in variants() or f'Fault("{kind}"' in sources()


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Behaviour)])
def test_every_trait_of_a_worker_is_used_by_a_check(field: str) -> None:
    """A check makes workers behave so, but for what is an adapter's or is not asked yet."""
    used = re.search(rf"\b{field}=", sources()) is not None
    assert used == (field not in OF_ADAPTERS | NOT_ASKED)


@pytest.mark.parametrize("clear", CLEARS)
def test_every_answer_to_an_interruption_is_used_by_a_check(clear: str) -> None:
    """A check makes workers answer so."""
    assert f'"{clear}"' in sources()


@pytest.mark.parametrize("call", [*calls(Server), *calls(Backend)])
def test_every_call_of_the_stage_is_made_by_a_check(call: str) -> None:
    """A check, or its scene, makes it."""
    assert f".{call}(" in sources()
