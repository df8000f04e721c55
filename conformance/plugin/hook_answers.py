"""What a hook of an adapter answered, or raised: foreign values, looked at with care."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from inspect import isawaitable
from typing import Any

from conformance.errors import exception_text

DEEPEST = 16
"""How deep mappings and lists of an answer may be nested; a manifest needs 4 levels."""
MOST_VALUES = 10_000
"""How many values an answer may hold in all."""


class TooMuch(Exception):
    """An answer that is too deep, or too long, to be one; the message says which."""


def plain(answer: object) -> Any:
    """``answer`` as mappings, lists and single values; raises `TooMuch`, and what it raises."""
    count = 0

    def copied(value: Any, depth: int) -> Any:
        nonlocal count
        count += 1
        if count > MOST_VALUES:
            raise TooMuch(f"it returned more than {MOST_VALUES} values")
        if depth > DEEPEST:
            raise TooMuch(f"what it returned is nested deeper than {DEEPEST} levels")
        if is_dataclass(value) and not isinstance(value, type):
            return {f.name: copied(getattr(value, f.name), depth + 1) for f in fields(value)}
        if isinstance(value, Mapping):
            return {key: copied(value[key], depth + 1) for key in value}
        if isinstance(value, (list, tuple)):
            return [copied(item, depth + 1) for item in value]
        return value

    return copied(answer, 0)


def kind(value: object) -> str:
    """What sort of value was returned, in words."""
    if value is None:
        return "None"
    if isawaitable(value):
        return "an awaitable"
    return f"a {type(value).__name__}"


def raised(error: BaseException, file: str | None) -> str:
    """What was raised, and in which line of the adapter's own ``file``."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename == file]
    text = exception_text(error)
    return f"{text} (line {own[-1].lineno} of {file})" if own else text
