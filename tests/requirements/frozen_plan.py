"""The plan of the current revision, as the suite has it now.

``python -m tests.requirements.frozen_plan`` writes it to ``conformance/requirements/plans``. For a
revision that has not been released yet; the plan of a released one stays as it is.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Iterator
from types import CodeType
from typing import Any

from conformance.requirements.plan import PLANS
from conformance.requirements.revision import CURRENT
from conformance.suite.checks import load
from conformance.suite.registry import Check, registered

COMMAND = "python -m tests.requirements.frozen_plan"
_SUITE = "conformance.suite"
_OF_A_CHAIN = ("ChainScene.", "HostSwap.")


def plan_text() -> str:
    """The text of the plan's file."""
    load()
    functions = _functions()
    checks: dict[str, dict[str, Any]] = {}
    for check in registered():
        variants = ["to-*"] if check.for_peers else list(check.variants)
        entry = checks.setdefault(
            check.requirement, {"variants": [], "exempt": False, "virtual_time": False}
        )
        entry["variants"] += variants
        entry["exempt"] |= _may_be_exempt(check, functions)
        entry["virtual_time"] |= bool(check.virtual_time)
    return (
        json.dumps({"revision": CURRENT, "checks": dict(sorted(checks.items()))}, indent=1) + "\n"
    )


def _may_be_exempt(check: Check, functions: dict[str, set[Callable[..., Any]]]) -> bool:
    """Whether a rule may make it not applicable: declared, or raised by what it calls, by name."""
    if check.requirement.startswith("HOST-"):
        called = inspect.unwrap(check.function).__code__.co_names
        return "unbind" in called or "NotApplicable" in called
    seen: set[Any] = set()
    for function in (check.function, check.scenario):
        if function is not None:
            _follow(function, functions, seen)
    return check.exempt is not None or "NotApplicable" in seen


def _follow(function: Any, functions: dict[str, set[Callable[..., Any]]], seen: set[Any]) -> None:
    function = inspect.unwrap(function)
    if function in seen or function.__qualname__.startswith(_OF_A_CHAIN):
        return
    seen.add(function)
    for name in (name for code in _codes(function.__code__) for name in code.co_names):
        if name == "NotApplicable":
            seen.add(name)
        for called in functions.get(name, ()):
            _follow(called, functions, seen)


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def _functions() -> dict[str, set[Callable[..., Any]]]:
    """Every function and method of the suite, by its name."""
    found: dict[str, set[Callable[..., Any]]] = {}
    for module in [m for name, m in sys.modules.items() if name.startswith(_SUITE)]:
        for value in tuple(vars(module).values()):
            members = vars(value).values() if inspect.isclass(value) else (value,)
            for member in members:
                plain = getattr(member, "fget", None) or getattr(member, "__func__", member)
                plain = inspect.unwrap(getattr(plain, "func", plain)) if callable(plain) else plain
                if inspect.isfunction(plain) and plain.__module__.startswith(_SUITE):
                    found.setdefault(plain.__name__, set()).add(plain)
    return found


if __name__ == "__main__":
    (PLANS / f"{CURRENT}.json").write_text(plan_text(), "utf-8")
