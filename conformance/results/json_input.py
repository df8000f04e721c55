"""JSON files that somebody else wrote: read within limits, or refused in one line."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, relevance

from conformance.errors import UsageError
from conformance.resources import schema

from .plain_text import without_commands

MEBIBYTE = 2**20
LARGEST_REPORT = 32 * MEBIBYTE
LARGEST_CERTIFICATE = 8 * MEBIBYTE
DEEPEST = 32
"""How deep lists and objects may be nested; a report needs 6 levels."""
MOST_VALUES = 1_000_000
"""How many values a file may hold; a report of thirteen providers holds less than a tenth."""

LONGEST_TEXT = 20_000
"""Characters of one text of a report or a certificate; no message of a report has that many."""

_ERRORS_LOOKED_AT = 50
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class Unreadable(UsageError):
    """A file that cannot be used: which one, what is wrong with it, and what was expected."""


class NotJson(ValueError):
    """Bytes that are no JSON this kit reads; the message says why, in one line."""


def read_bytes(path: Path, *, limit: int) -> bytes:
    """The bytes of a regular file of at most ``limit`` bytes; raises `Unreadable`."""
    try:
        if not path.exists():
            raise Unreadable(f"{path}: cannot be read: there is no such file")
        if not path.is_file():
            raise Unreadable(f"{path}: cannot be read: it is no regular file")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise Unreadable(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError as error:  # A null byte in the name.
        raise Unreadable(f"{str(path)!r}: is no file name: {error}") from None
    if len(data) > limit:
        raise Unreadable(f"{path}: is larger than {limit // MEBIBYTE} MiB, which no such file is")
    if not data.strip():
        raise Unreadable(f"{path}: is empty")
    return data


def read_json(path: Path, *, limit: int = LARGEST_REPORT) -> Any:
    """The JSON value in a file; raises `Unreadable` for anything that is no plain JSON."""
    try:
        return parse_json(read_bytes(path, limit=limit))
    except NotJson as error:
        raise Unreadable(f"{path}: {error}") from None


def parse_json(data: bytes) -> Any:
    """The value of one JSON text; raises `NotJson`.

    Stricter than `json`: UTF-8 only, no NaN, no key twice, no half of a surrogate pair, no number
    beyond a double, no more than `DEEPEST` levels and `MOST_VALUES` values.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(f"is no JSON: not UTF-8 at byte {error.start}") from None
    try:
        value = json.loads(
            text,
            object_pairs_hook=_without_duplicate_keys,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_bounded,
        )
    except RecursionError:
        raise NotJson(_TOO_DEEP) from None
    except json.JSONDecodeError as error:
        cut = "; it seems to be cut off" if error.pos >= len(text.rstrip()) else ""
        raise NotJson(f"is no JSON: {error.msg} at line {error.lineno}{cut}") from None
    _check_extent(value, surrogates=_SURROGATE.search(text) is not None)
    return value


def schema_problem(name: str, data: Any, *, of: str = "") -> str | None:
    """What ``schemas/<name>.schema.json`` has against ``data``: the field and the fault.

    A text of more than `LONGEST_TEXT` characters is refused before any pattern is tried on it.
    ``of`` names one of the schema's definitions, to validate against that alone.
    """
    too_long = _too_long(data)
    if too_long:
        return f"a text in it has {too_long:,} characters, and {LONGEST_TEXT:,} are the most"
    whole = schema(name)
    rules = whole if not of else {**whole["$defs"][of], "$defs": whole["$defs"]}
    # A file of a million faults is as wrong as one of fifty.
    errors = itertools.islice(Draft202012Validator(rules).iter_errors(data), _ERRORS_LOOKED_AT)
    worst = max(errors, key=relevance, default=None)
    return None if worst is None else _in_words(worst)


def shown(text: str) -> str:
    """``text`` for a terminal or the log of a CI, where it is text and no command.

    What is not printable, a control sequence say, is replaced.
    """
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
    return without_commands(text)


_TOO_DEEP = f"is nested deeper than {DEEPEST} levels"


def _too_long(data: Any) -> int:
    """The characters of the first text that is too long; 0 where none is."""
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.keys()
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, str) and len(value) > LONGEST_TEXT:
            return len(value)
    return 0


def _in_words(error: ValidationError) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.absolute_path)
    where = "".join(parts).lstrip(".")
    value: Any = error.instance
    if error.validator == "required" and isinstance(value, Mapping):
        wanted: Any = error.validator_value
        missing = next(name for name in wanted if name not in value)
        return f"{_short(f'{where}.{missing}'.lstrip('.'))} is missing"
    if error.validator == "additionalProperties" and isinstance(value, Mapping):
        known: Any = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
        unknown = next((name for name in value if name not in known), "?")
        return f"{_short(f'{where}.{unknown}'.lstrip('.'))} is unknown"
    rule = f"{error.validator} {error.validator_value!r}"
    return (
        f"{_short(where) or 'the whole'} is {_short(repr(value))}, not by its rule {_short(rule)}"
    )


def _short(text: str) -> str:
    text = shown(text)
    return text if len(text) <= 80 else text[:77] + "..."


def _without_duplicate_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        twin = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise NotJson(f"has the key {_short(twin)!r} twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise NotJson(f"is no JSON: it holds {name}")


def _finite(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise NotJson("holds a number beyond what can be counted")
    return value


def _bounded(digits: str) -> int:
    if len(digits) > 20:
        raise NotJson("holds a number beyond what can be counted")
    return int(digits)


def _check_extent(value: Any, *, surrogates: bool) -> None:
    level = [value]
    count = 0
    for _ in range(DEEPEST):
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
                if surrogates:
                    below.extend(item)
            elif isinstance(item, list):
                below.extend(item)
            elif surrogates and isinstance(item, str):
                _check_text(item)
        if not below:
            return
        level = below
        count += len(below)
        if count > MOST_VALUES:
            raise NotJson(f"holds more than {MOST_VALUES:,} values")
    raise NotJson(_TOO_DEEP)


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise NotJson("holds half of a surrogate pair") from None
