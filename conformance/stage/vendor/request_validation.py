"""Validate a request against the vendor's API, in words that carry no secret."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import jsonschema
from aiohttp import web

from conformance.plugin.vendor_api import BodyFormat, Call, Socket
from conformance.plugin.vendor_messages import RoomMessage

_MISSING = object()


class Route:
    """An endpoint's method, host and path, ready to be compared with a request's."""

    def __init__(self, endpoint: Call | Socket, default_host: str) -> None:
        self.endpoint = endpoint
        self.host = (endpoint.host or default_host).lower()
        self.method = endpoint.method if isinstance(endpoint, Call) else "GET"
        self._path = _pattern(endpoint.path)

    def match(self, host: str, path: str) -> Mapping[str, str] | None:
        """The placeholders' values when host and path are this endpoint's."""
        found = self._path.fullmatch(path) if host == self.host else None
        return found.groupdict() if found else None


@lru_cache(maxsize=256)
def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+(?::[^{}]+)?\})", path)
    pattern = ""
    for part in parts:
        if part.startswith("{"):
            name, _, expression = part[1:-1].partition(":")
            pattern += f"(?P<{name}>{expression or '[^/]+'})"
        else:
            pattern += re.escape(part)
    return re.compile(pattern)


def header_objections(
    call: Call, headers: Mapping[str, str], values: Mapping[str, str]
) -> Iterable[str]:
    """Required headers that are missing or wrong; ``values`` fill the ``{name}`` in them."""
    for name, template in call.headers.items():
        if name not in headers:
            yield f"{call.name}: header {name!r} is missing"
        elif headers[name] != filled(template, values):
            yield f"{call.name}: header {name!r} is not {template!r}"


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """``value`` with every ``{name}`` in its strings replaced."""
    if isinstance(value, str):
        for name, replacement in values.items():
            value = value.replace("{" + name + "}", replacement)
        return value
    if isinstance(value, Mapping):
        return {key: filled(item, values) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [filled(item, values) for item in value]
    return value


async def read_body(request: web.BaseRequest, form: BodyFormat) -> tuple[Any, str | None]:
    """The decoded body, and what is wrong with it as a whole."""
    if form == "json":
        raw = await request.read()
        if not raw:
            return None, None
        try:
            return json.loads(raw), None
        except ValueError:
            return None, "body: is no JSON"
    expected = "multipart/form-data" if form == "multipart" else "application/x-www-form-urlencoded"
    if request.content_type != expected:
        return None, f"body: content type is {request.content_type!r}, not {expected!r}"
    return {name: _plain(value) for name, value in (await request.post()).items()}, None


def _plain(value: Any) -> Any:
    if isinstance(value, web.FileField):
        return {"filename": value.filename, "content_type": value.content_type}
    return value if isinstance(value, str) else bytes(value)


def body_objections(call: Call, body: Any) -> list[str]:
    """Where the body differs from its schema, at most five times."""
    return _objections(call.name, call.body, body)


def message_objections(message: RoomMessage, payload: object) -> list[str]:
    """Where a message in the room differs from its schema, at most five times."""
    return _objections(message.name, message.body, payload)


def _objections(name: str, schema: Mapping[str, Any] | None, body: Any) -> list[str]:
    if schema is None:
        return []
    errors = sorted(_validator(json.dumps(schema)).iter_errors(body), key=_place)
    return [f"{name}: {_place(error)}: {_words(error)}" for error in errors[:5]]


@lru_cache(maxsize=256)
def _validator(schema: str) -> jsonschema.Draft202012Validator:
    value = json.loads(schema)
    jsonschema.Draft202012Validator.check_schema(value)
    return jsonschema.Draft202012Validator(value)


def _place(error: jsonschema.ValidationError) -> str:
    return "/".join(["body", *(str(step) for step in error.absolute_path)])


def _words(error: jsonschema.ValidationError) -> str:
    # Other messages quote the value that was sent, which may be a token.
    if error.validator in ("required", "additionalProperties"):
        return error.message
    return f"does not satisfy {error.validator}: {json.dumps(error.validator_value)}"


def at_pointer(body: Any, pointer: str | None) -> str | None:
    """The string at a JSON pointer, or None where there is none."""
    if pointer is None:
        return None
    value: Any = body
    for step in pointer.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, Mapping):
            value = value.get(step, _MISSING)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value if isinstance(value, str) else None


def identity_in(token: str | None) -> str | None:
    """The identity that a room token claims; nothing of the token is verified."""
    try:
        payload = (token or "").split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return str(claims["sub"])
    except (IndexError, KeyError, TypeError, ValueError):
        return None
