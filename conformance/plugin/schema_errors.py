"""Data of an adapter against its schema: the first thing that is wrong, as one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from conformance.resources import schema

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError


def first_problem(schema_name: str, data: Mapping[str, Any]) -> tuple[str, str] | None:
    """The first problem of ``data`` and its mend, or None when the schema accepts it.

    The field is named by its path (``credentials[0].name``), with the values that are allowed.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    error = best_match(Draft202012Validator(schema(schema_name)).iter_errors(data))
    return None if error is None else _explain(error)


def _explain(error: ValidationError) -> tuple[str, str]:
    path = _path(error.absolute_path)
    where = f"field {path!r}" if path else "the whole"
    value: Any = error.instance
    wanted: Any = error.validator_value
    known = list(_schema(error).get("properties", ()))
    if error.validator == "required":
        missing = next(name for name in wanted if name not in value)
        return f"field {_join(path, missing)!r} is missing", "add it"
    if error.validator == "additionalProperties":
        unknown = next(name for name in value if name not in known)
        near = difflib.get_close_matches(str(unknown), known, n=1)
        mend = f"did you mean {near[0]!r}?" if near else f"the fields are: {', '.join(known)}"
        return f"field {_join(path, str(unknown))!r} is unknown", mend
    if error.validator == "enum":
        allowed = ", ".join(repr(choice) for choice in wanted)
        return f"{where} is {value!r}", f"allowed are: {allowed}"
    if error.validator == "type":
        names = wanted if isinstance(wanted, str) else " or ".join(wanted)
        return f"{where} is {value!r}", f"it must be of type {names}"
    if error.validator in ("minItems", "minLength"):
        return f"{where} is empty", _describe(error, "give at least one")
    if error.validator == "pattern":
        return f"{where} is {value!r}", _describe(error, f"it must match {wanted}")
    return f"{where}: {error.message}", _describe(error, "see the schema")


def _describe(error: ValidationError, otherwise: str) -> str:
    described = _schema(error).get("description")
    return f"it must be: {described}" if described else otherwise


def _schema(error: ValidationError) -> Mapping[str, Any]:
    return error.schema if isinstance(error.schema, Mapping) else {}


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _path(parts: Iterable[str | int]) -> str:
    path = ""
    for part in parts:
        path = f"{path}[{part}]" if isinstance(part, int) else _join(path, part)
    return path
