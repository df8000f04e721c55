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

from conformance.plugin.vendor_api import Access, BodyFormat, Call, MintedAccess, Socket
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
    endpoint: Call | Socket, request: web.BaseRequest, values: Mapping[str, str]
) -> Iterable[str]:
    """Required headers and query parameters that are missing or wrong.

    ``values`` fill the ``{name}`` in what is required.
    """
    sent: tuple[tuple[str, Mapping[str, str], Mapping[str, str]], ...] = (
        ("header", endpoint.headers, request.headers),
        ("query parameter", endpoint.query, request.query),
    )
    for kind, required, there in sent:
        for name, template in required.items():
            if name not in there:
                yield f"{endpoint.name}: {kind} {name!r} is missing"
            elif there[name] != filled(template, values):
                yield f"{endpoint.name}: {kind} {name!r} is not {template!r}"


def _shown_place(place: str) -> str:
    """A place in words: ``body/token``, ``header 'X-Token'``."""
    kind, colon, name = place.partition(":")
    return f"{kind} {name!r}" if colon and kind in ("header", "query") else f"body{place}"


def at_place(request: web.BaseRequest, body: Any, place: str | None) -> str | None:
    """The string at a place of a request, or None where there is none; see `RoomAccess`."""
    kind, _, name = (place or "").partition(":")
    if kind == "query":
        return request.query.get(name)
    if kind == "header":
        value = request.headers.get(name)
        return value.rpartition(" ")[2] if value is not None else None
    return at_pointer(body, place)


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


def access_objections(
    endpoint: Call | Socket, access: Access, request: web.BaseRequest, body: Any, room_name: str
) -> list[str]:
    """What a request lacks of the room that the vendor is to join, or says wrongly."""
    if isinstance(access, MintedAccess):
        return []
    wrong = [
        f"{endpoint.name}: {_shown_place(place)}: the room's {what} is missing"
        for place, what in ((access.url, "URL"), (access.token, "token"))
        if place is not None and not at_place(request, body, place)
    ]
    token = at_place(request, body, access.token)
    repeated = (
        (access.identity, identity_in(token), "is not the identity in the room token"),
        (access.room_name, room_name, "is not the room's name"),
    )
    for place, expected, words in repeated:
        if place is not None and at_place(request, body, place) != expected:
            wrong.append(f"{endpoint.name}: {_shown_place(place)}: {words}")
    return wrong


def first_message_objections(socket: Socket, message: Any) -> list[str]:
    """Where a socket's first message differs from its schema, at most five times."""
    return _objections(socket.name, socket.first, message)


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
    claims = claims_in(token)
    return str(claims["sub"]) if "sub" in claims else None


def claims_in(token: object) -> Mapping[str, Any]:
    """What a room token claims, unverified; nothing for what is no token."""
    try:
        payload = token.split(".")[1] if isinstance(token, str) else ""
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, Mapping) else {}
