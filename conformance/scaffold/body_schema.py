"""The JSON Schema of recorded bodies, as the source that an adapter has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

MISSING = object()
Known = Callable[[Any], "str | None"]
"""The source of the schema for a value that is recognised; None for any other."""


def schema_source(values: Sequence[Any], known: Known) -> str:
    """The schema that all ``values`` of one place satisfy, and no less than they have in common."""
    recognised = {known(value) for value in values}
    if len(recognised) == 1 and None not in recognised:
        return str(recognised.pop())
    if all(isinstance(value, Mapping) for value in values):
        return _object(values, known)
    if all(value == values[0] and type(value) is type(values[0]) for value in values):
        return _const(values[0])
    if all(isinstance(value, str) and value for value in values):
        return "STRING"
    kinds = dict.fromkeys(_kind(value) for value in values)
    if len(kinds) == 1:
        return json.dumps({"type": next(iter(kinds))})
    return json.dumps({"type": list(kinds)})


def _const(value: Any) -> str:
    if isinstance(value, (list, dict)):
        return f'{{"const": {value!r}}}'
    return '{"type": "null"}' if value is None else f'{{"const": {python(value)}}}'


def _object(values: Sequence[Mapping[str, Any]], known: Known) -> str:
    names = dict.fromkeys(name for value in values for name in value)
    required: list[str] = []
    optional: list[str] = []
    for name in names:
        there = [value[name] for value in values if name in value]
        target = required if len(there) == len(values) else optional
        # what is there for one argument alone may be another value for another one
        source = schema_source(there, known)
        if target is optional:
            source = _any_of_its_kind(there)
        target.append(f"{python(name)}: {source}")
    parts = [f"{{{', '.join(required)}}}"]
    if optional:
        parts.append(f"{{{', '.join(optional)}}}")
    return f"fields({', '.join(parts)})"


def _any_of_its_kind(values: Sequence[Any]) -> str:
    kinds = dict.fromkeys(_kind(value) for value in values)
    return "STRING" if list(kinds) == ["string"] else json.dumps({"type": list(kinds)})


def _kind(value: Any) -> str:
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string")):
        if isinstance(value, kind):
            return name
    return "null" if value is None else "array" if isinstance(value, list) else "object"


def python(value: Any) -> str:
    """A value as Python source, with the quotes that this project uses."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{python(k)}: {python(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        inside = ", ".join(map(python, value))
        return f"[{inside}]" if isinstance(value, list) else f"({inside},)"
    return json.dumps(value) if isinstance(value, str) else repr(value)


def pointers(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that has none inside, with the JSON pointer to it."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            escaped = str(name).replace("~", "~0").replace("/", "~1")
            yield from pointers(inner, f"{at}/{escaped}")
    else:
        yield at, value
