"""Classes, functions and hooks as a reference: what they take, and what their docstrings say."""

from __future__ import annotations

import ast
import dataclasses
import enum
import inspect
import itertools
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from .markdown import docstring, in_markdown, table


def of_class(
    thing: type[Any], *, level: int = 3, said: Mapping[str, str] | None = None
) -> Iterator[str]:
    """A class: its docstring, and a table of its fields where it is a dataclass.

    ``said`` is what is said elsewhere of fields that have no docstring of their own.
    """
    yield f"{'#' * level} {thing.__name__}"
    yield ""
    if not getattr(thing, "_is_protocol", False) and _has_a_constructor_to_show(thing):
        yield from signature(thing)
    yield docstring(thing)
    yield ""
    if dataclasses.is_dataclass(thing):
        yield from _fields(thing, said or {})
    yield from _members(thing)


def signature(thing: Any) -> Iterator[str]:
    """How something is called, as Python."""
    try:
        shown = str(inspect.signature(thing)).replace("'", "")
    except (TypeError, ValueError):
        return
    shown = re.sub(r"<object object at [^>]*>|<function (\w+) at [^>]*>", _default, shown)
    name = thing.__name__
    prefix = "async " if inspect.iscoroutinefunction(thing) else ""
    line = f"{prefix}{name}{shown}"
    yield "```text"
    yield from textwrap.wrap(line, 96, subsequent_indent="    ", break_long_words=False)
    yield "```"
    yield ""


def of_function(thing: Any, *, level: int = 3) -> Iterator[str]:
    """A function or a hook: how it is called, what it does, its parameters and what it returns."""
    yield f"{'#' * level} {thing.__name__}"
    yield ""
    yield from signature(thing)
    text = inspect.cleandoc(thing.__doc__ or "")
    text = re.sub(r"^\.\. versionadded:: (.*)$", r":since: \1", text, flags=re.MULTILINE)
    body, *rest = re.split(r"^(?=:)", text, flags=re.MULTILINE)
    yield in_markdown(body).strip()
    yield ""
    for part in rest:
        label, _, what = part[1:].partition(":")
        name = label.removeprefix("param ")
        shown = f"`{name}`" if label.startswith("param ") else name.capitalize()
        yield f"- {shown}: {in_markdown(' '.join(what.split()))}"
    if rest:
        yield ""


def _has_a_constructor_to_show(thing: type[Any]) -> bool:
    if issubclass(thing, (Exception, enum.Enum)):
        return False
    parameters = getattr(thing, "__dataclass_params__", None)
    return parameters is None or not parameters.init


def _fields(thing: type[Any], elsewhere: Mapping[str, str]) -> Iterator[str]:
    said = {**elsewhere, **_attribute_docstrings(thing)}
    rows = []
    for field in dataclasses.fields(thing):
        if field.name.startswith("_"):
            continue
        about = said.get(field.name, "")
        rows.append((f"`{field.name}`", f"`{field.type}`", _shown_default(field), about))
    if rows:
        yield from table(("field", "type", "default", ""), rows)


def _members(thing: type[Any]) -> Iterator[str]:
    rows = []
    for name, member in vars(thing).items():
        if name.startswith("_") or not getattr(member, "__doc__", None):
            continue
        if isinstance(member, property):
            rows.append((f"`{name}`", docstring(member)))
        elif inspect.isfunction(member):
            shown = str(inspect.signature(member)).replace("(self, ", "(").replace("(self)", "()")
            rows.append((f"`{name}{shown}`".replace("'", ""), docstring(member)))
    if rows:
        yield from table(("member", ""), rows)


def _attribute_docstrings(thing: type[Any]) -> Mapping[str, str]:
    """What is said of each field: the string below it, as Sphinx reads it."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    body = tree.body[0].body  # type: ignore[attr-defined]
    said = {}
    for statement, following in itertools.pairwise(body):
        if isinstance(statement, ast.AnnAssign) and isinstance(following, ast.Expr):
            name = statement.target.id  # type: ignore[union-attr]
            said[name] = in_markdown(" ".join(following.value.value.split()))  # type: ignore[attr-defined]
    return said


def _shown_default(field: dataclasses.Field[Any]) -> str:
    if field.default is not dataclasses.MISSING:
        default = field.default
        name = getattr(default, "__name__", None)
        return f"`{name or repr(default)}`"
    if field.default_factory is not dataclasses.MISSING:
        return f"`{field.default_factory.__name__}()`"
    return ""


def _default(match: re.Match[str]) -> str:
    return match[1] or "..."
