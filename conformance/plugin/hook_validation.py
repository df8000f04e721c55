"""Whether an adapter's hook implementations fit the specification."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Mapping
from typing import Any

from conformance.errors import AdapterError

from . import spec

_IMPL = f"{spec.PROJECT}_impl"
_SPEC = f"{spec.PROJECT}_spec"

HOOKS: Mapping[str, tuple[str, ...]] = {
    name: tuple(inspect.signature(function).parameters)
    for name, function in vars(spec).items()
    if hasattr(function, _SPEC)
}
"""The names of the hooks, each with its arguments."""


def is_adapter(candidate: object) -> bool:
    """Whether there is a hook in it, marked or only named like one."""
    names = dir(candidate)
    return any(name in HOOKS or _marked(candidate, name) for name in names)


def implemented_hooks(adapter: object) -> frozenset[str]:
    """The names of the hooks that the adapter implements."""
    return frozenset(_hook_of(adapter, name) for name in dir(adapter) if _marked(adapter, name))


def check_implementation(adapter: object, label: str) -> None:
    """Raise `AdapterError` for the first thing that does not fit; ``label`` names the adapter."""
    if isinstance(adapter, type):
        raise AdapterError(
            label, "", f"it is the class {adapter.__name__}", "name a module or an instance"
        )
    for name in dir(adapter):
        if _marked(adapter, name):
            hook = _hook_of(adapter, name)
            _check_name(hook, label)
            _check_arguments(hook, getattr(adapter, name), label)
        elif name in HOOKS and callable(getattr(adapter, name)):
            raise AdapterError(label, name, "it is not marked as a hook", "put @hookimpl above it")
    for hook in ("avatar_provider_manifest", "create_avatar"):
        if hook not in implemented_hooks(adapter):
            signature = f"{hook}({', '.join(HOOKS[hook])})"
            raise AdapterError(label, hook, "the hook is missing", f"implement {signature}")


def _marked(adapter: object, name: str) -> bool:
    return isinstance(_options(adapter, name), dict)


def _options(adapter: object, name: str) -> Any:
    return getattr(getattr(adapter, name, None), _IMPL, None)


def _hook_of(adapter: object, name: str) -> str:
    return str(_options(adapter, name).get("specname") or name)


def _check_name(hook: str, label: str) -> None:
    if hook in HOOKS:
        return
    near = difflib.get_close_matches(hook, HOOKS, n=1)
    mend = f"did you mean {near[0]}?" if near else f"the hooks are: {', '.join(HOOKS)}"
    raise AdapterError(label, hook, "there is no such hook", mend)


def _check_arguments(hook: str, function: Any, label: str) -> None:
    allowed = HOOKS[hook]
    offered = ", ".join(allowed) or "none"
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            mark = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
            raise AdapterError(
                label, hook, f"it takes {mark}{parameter.name}", f"name the arguments: {offered}"
            )
        if parameter.name not in allowed and parameter.default is parameter.empty:
            near = difflib.get_close_matches(parameter.name, allowed, n=1)
            mend = f"did you mean {near[0]!r}?" if near else f"the arguments are: {offered}"
            raise AdapterError(label, hook, f"it has no argument {parameter.name!r}", mend)
