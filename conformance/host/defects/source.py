"""Changes of the installed host's source, made in the running process and taken back."""

from __future__ import annotations

import ast
import difflib
import importlib
import inspect
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any


@dataclass(frozen=True)
class Edit:
    """One change of a module: ``old``, whole lines that are there once, becomes ``new``."""

    module: str
    old: str
    new: str


class DoesNotApply(Exception):
    """Raised for an edit whose lines the installed host does not have, or has twice."""


def edited_sources(edits: Sequence[Edit]) -> dict[str, str]:
    """The new text of each module that ``edits`` change; raises `DoesNotApply`."""
    texts: dict[str, str] = {}
    for edit in edits:
        text = texts.get(edit.module) or _installed_text(edit.module)
        found = text.count(edit.old)
        if found != 1:
            first = next((line for line in edit.old.splitlines() if line.strip()), "")
            raise DoesNotApply(f"{edit.module} has {first.strip()!r} {found} times in that place")
        texts[edit.module] = text.replace(edit.old, edit.new)
    return texts


def as_diff(edits: Sequence[Edit]) -> str:
    """The edits as a unified diff against the installed files."""
    lines: list[str] = []
    for module, text in edited_sources(edits).items():
        path = f"{module.replace('.', '/')}.py"
        before = _installed_text(module).splitlines(keepends=True)
        after = text.splitlines(keepends=True)
        lines += difflib.unified_diff(before, after, f"a/{path}", f"b/{path}")
    return "".join(lines)


@contextmanager
def applied(edits: Sequence[Edit]) -> Iterator[None]:
    """Change the installed host in this process; taken back afterwards.

    A changed function keeps its identity, so whoever holds it runs the new code.
    """
    with ExitStack() as stack:
        for module, text in edited_sources(edits).items():
            _apply(importlib.import_module(module), text, stack)
        yield


@cache
def _installed_text(module: str) -> str:
    return inspect.getsource(importlib.import_module(module))


def _apply(module: ModuleType, text: str, stack: ExitStack) -> None:
    for change in _changes(module.__name__, text):
        if change.owner is None and change.name is None:
            _define(vars(module), change.code, module, stack)
            continue
        owner: Any = module if change.owner is None else getattr(module, change.owner)
        made: dict[str, Any] = {}
        exec(change.code, vars(module), made)  # the host's own namespace, as in its file
        for name, value in _members(made, change).items():
            current = _function(inspect.getattr_static(owner, name, None))
            if name in vars(owner) and current is not None:
                _replace_code(current, value, stack)
            else:
                _add(owner, name, value, stack)


@dataclass(frozen=True)
class _Change:
    """Code that makes a changed or added definition. ``owner`` is the class that it belongs to."""

    owner: str | None
    name: str | None
    code: CodeType


@cache
def _changes(module: str, text: str) -> tuple[_Change, ...]:
    before, after = ast.parse(_installed_text(module)), ast.parse(text)
    known = {_key(node): ast.dump(node) for node in before.body}
    owners = {node.name: node for node in before.body if isinstance(node, ast.ClassDef)}
    path = str(Path(str(importlib.import_module(module).__file__)))
    changes: list[_Change] = []
    for node in after.body:
        if known.get(_key(node)) == ast.dump(node):
            continue
        owner = owners.get(node.name) if isinstance(node, ast.ClassDef) else None
        if owner is None:
            name = node.name if isinstance(node, _FUNCTIONS) else None
            changes.append(_Change(None, name, _compiled(node, path)))
            continue
        assert isinstance(node, ast.ClassDef)
        own = {_key(member): ast.dump(member) for member in owner.body}
        node.body = [m for m in node.body if own.get(_key(m)) != ast.dump(m)]
        node.bases, node.keywords, node.decorator_list = [], [], []
        changes.append(_Change(node.name, node.name, _compiled(node, path)))
    return tuple(changes)


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def _key(node: ast.AST) -> str:
    """A name that a statement keeps when what is in it changes."""
    named = (*_FUNCTIONS, ast.ClassDef)
    return f"{type(node).__name__} {node.name}" if isinstance(node, named) else ast.dump(node)


def _compiled(node: ast.stmt, path: str) -> CodeType:
    future = annotations.compiler_flag  # as every module of the host has it
    code = compile(ast.Module([node], []), path, "exec", future, dont_inherit=True)
    assert isinstance(code, CodeType)
    return code


def _members(made: dict[str, Any], change: _Change) -> dict[str, Any]:
    if change.owner is None:
        return made
    left_out = {"__module__", "__qualname__", "__dict__", "__weakref__", "__doc__"}
    left_out |= {"__annotations__", "__static_attributes__", "__firstlineno__"}
    scratch = made[change.owner]
    return {name: value for name, value in vars(scratch).items() if name not in left_out}


def _function(member: object) -> FunctionType | None:
    """The plain function in a member of a class or module."""
    if isinstance(member, property):
        member = member.fget
    member = inspect.unwrap(getattr(member, "__func__", member))  # type: ignore[arg-type]
    return member if isinstance(member, FunctionType) else None


def _replace_code(current: FunctionType, made: Any, stack: ExitStack) -> None:
    new = _function(made)
    assert new is not None
    assert new.__code__.co_freevars == current.__code__.co_freevars
    stack.callback(setattr, current, "__code__", current.__code__)
    current.__code__ = new.__code__


def _add(owner: Any, name: str, value: Any, stack: ExitStack) -> None:
    function = _function(value)
    for cell in (function.__closure__ or ()) if function is not None else ():
        cell.cell_contents = owner  # what super() asks for: the class that it was written for
    stack.callback(delattr, owner, name)
    setattr(owner, name, value)


def _define(space: dict[str, Any], code: CodeType, module: ModuleType, stack: ExitStack) -> None:
    made: dict[str, Any] = {}
    exec(code, space, made)
    for name, value in made.items():
        _add(module, name, value, stack)
