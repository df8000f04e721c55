"""docs/schemas.md: every field of every JSON Schema that is published."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .markdown import MADE_BY, table

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"
_USED = {
    "certificate": "`avatar-conformance certify` writes it, `verify` and `diff` read it.",
    "deviations": "`--conformance-deviations` and `known_deviations()` take it.",
    "manifest": "`avatar_provider_manifest()` returns it.",
    "report": "`--conformance-report` writes it; `diff`, `matrix` and `baseline` read it.",
    "requirement": "The catalogue's own files are by it.",
}


def render() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield MADE_BY
    yield "# Schemas"
    yield ""
    yield "What the kit reads and writes, as JSON Schema (2020-12). The files are in `schemas/`"
    yield "of the repository and in `conformance/schemas` of the wheel. They are public: what a"
    yield "file of theirs means does not change within a major version of the kit."
    yield ""
    for path in sorted(SCHEMAS.glob("*.schema.json")):
        schema = json.loads(path.read_text("utf-8"))
        name = path.name.partition(".")[0]
        yield f"## {path.name}"
        yield ""
        yield f"{schema['title']}. {_USED[name]}"
        if "description" in schema:
            yield f"It is {schema['description']}."
        yield ""
        yield from _object(schema)
        for title, definition in schema.get("$defs", {}).items():
            yield f"### {name}: {title}"
            yield ""
            if definition.get("description"):
                yield f"{definition['description'].capitalize()}."
                yield ""
            if definition.get("properties"):
                yield from _object(definition)
            else:
                yield f"{_type(definition)}"
                yield ""


def _object(schema: Mapping[str, Any]) -> Iterator[str]:
    yield from table(("field", "type", "needed", ""), _rows(schema, ""))


def _rows(schema: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str, str, str]]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        needed = "yes" if name in required else ""
        yield f"`{prefix}{name}`", _type(field), needed, field.get("description", "")
        inner = field.get("items", field)
        if isinstance(inner, Mapping) and inner.get("properties"):
            yield from _rows(inner, f"{prefix}{name}{'[]' if 'items' in field else ''}.")


def _type(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return f"*{field['$ref'].rpartition('/')[2]}*"
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "enum" in field:
        return ", ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    for several in ("oneOf", "anyOf", "allOf"):
        if several in field:
            return " or ".join(_type(one) for one in field[several]) or "any"
    kind = field.get("type", "any")
    kind = " or ".join(kind) if isinstance(kind, list) else kind
    if kind == "array" and isinstance(field.get("items"), Mapping):
        return f"array of {_type(field['items'])}"
    if isinstance(field.get("additionalProperties"), Mapping):
        return f"object of {_type(field['additionalProperties'])}"
    if "pattern" in field:
        return f"{kind} like `{field['pattern']}`"
    return kind
