"""A vendor's API as an adapter's source, from the requests that were found in the plugin."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .values import Fields, Known, Text, Unknown, Value
from .vendor_calls import SESSION_WORDS, Request

WIDTH = 100
_PLAIN_HEADERS = ("content-type", "accept")
_STRINGS = ("id", "url", "token", "name", "identity", "key", "slug", "secret")
_SOCKET_PATH = "/audio/{session}"


@dataclass(frozen=True)
class CallText:
    """One call of the API: its lines in the adapter, each an argument of ``Call``."""

    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class ApiText:
    """The calls; and the path of the WebSocket, where an answer says where it is."""

    calls: tuple[CallText, ...]
    socket_path: str | None


def api_text(
    requests: Sequence[Request], hosts: Sequence[str], credentials: Mapping[str, str]
) -> ApiText:
    """The calls for these requests. ``credentials`` maps variables and names to credentials."""
    opening = next((r for r in requests if r.brings_avatar), requests[0] if requests else None)
    first = list(requests).index(opening) if opening is not None else 0
    told = {
        _folded(path[-1]): _told(path[-1], is_session=number >= first)
        for number, request in reversed(list(enumerate(requests)))
        for path in request.reads
    }
    writer = _Writer(hosts[0] if hosts else "", credentials, told, opening)
    names = list(_names(requests))
    calls = tuple(
        CallText(name, tuple(writer.lines(request)))
        for name, request in zip(names, requests, strict=True)
    )
    with_socket = any(_is_url(path[-1]) for request in requests for path in request.reads)
    return ApiText(calls, _SOCKET_PATH if with_socket else None)


def _names(requests: Sequence[Request]) -> Iterator[str]:
    taken: set[str] = set()
    for request in requests:
        last = [part for part in request.path.split("/") if part and "{" not in part]
        name = f"{request.method.lower()} {last[-1] if last else 'root'}"
        while name in taken:
            name += " again"
        taken.add(name)
        yield name


@dataclass(frozen=True)
class _Writer:
    host: str
    credentials: Mapping[str, str]
    told: Mapping[str, str]
    """What the vendor answers, by its folded name."""
    opening: Request | None

    def lines(self, request: Request) -> Iterator[str]:
        """The arguments of a call, from its host on."""
        if request.host not in (None, self.host):
            yield f"host={json.dumps(request.host)},"
        yield from self._headers(request)
        yield from self._body(request)
        if request is self.opening:
            yield from self._room(request)
            yield "opens_session=True,"
        elif request.ends_session:
            yield "ends_session=True,"
        if "{session}" not in request.path and request is not self.opening:
            session = self._session_field(request.body)
            if session is not None:
                yield f"session={json.dumps(session)},"
        yield from self._answer(request)
        if not request.at_start:
            yield 'when="later",'

    def _headers(self, request: Request) -> Iterator[str]:
        found: dict[str, str] = {}
        for name, field in request.headers.items.items():
            if field.required and name.lower() not in _PLAIN_HEADERS:
                template = self._template(field.value)
                if template is None:
                    yield f"# ? header {json.dumps(name)}: its value is not told"
                else:
                    found[name] = template
        if found:
            yield f"headers={json.dumps(found)},"

    def _template(self, value: Value) -> str | None:
        parts = value.parts if isinstance(value, Text) else (value,)
        text = ""
        for part in parts:
            if isinstance(part, str):
                text += part
            elif isinstance(part, Known) and isinstance(part.value, str):
                text += part.value
            elif isinstance(part, Unknown):
                credential = self.credentials.get(part.variable or part.name.strip("_"))
                answered = self.told.get(_folded(part.name))
                if credential is None and answered is None:
                    return None
                text += f"{{{credential}}}" if credential else str(answered)
            else:
                return None
        return text

    def _body(self, request: Request) -> Iterator[str]:
        if isinstance(request.body, Fields):
            question = "  # ? and what else" if request.body.open else ""
            body = _schema(request.body) if request.body.items else "fields({})"
            yield from _argument("body", body, question)
        elif request.body is not None:
            yield "body=None,  # ? what must it hold: see conformance.plugin.fields"

    def _room(self, request: Request) -> Iterator[str]:
        urls, tokens = request.pointers(token=False), request.pointers(token=True)
        if not tokens:
            yield 'room=RoomAccess("/livekit_url", "/livekit_token"),  # ? where in the body'
            return
        if len(tokens) > 1:
            more = ", ".join(tokens[1:])
            yield f"# ? {more} has a token as well: a RoomAccess with another seat, in a tuple?"
        pointers = [json.dumps(urls[0] if urls else "/livekit_url"), json.dumps(tokens[0])]
        if request.room_name is not None:
            pointers.append(f"room_name={json.dumps(request.room_name)}")
        question = "" if urls else "  # ? where in the body is the URL"
        yield from _argument("room", _Code("RoomAccess", tuple(pointers)), question)

    def _session_field(self, body: Value | None) -> str | None:
        items = body.items if isinstance(body, Fields) else {}
        return next((f"/{name}" for name in items if name.lower() in ("session_id", "id")), None)

    def _answer(self, request: Request) -> Iterator[str]:
        if not request.decodes:
            yield "answer_ignored=True,"
            return
        answer: dict[str, object] = {}
        for path in request.reads:
            at = answer
            for name in path[:-1]:
                inner = at.setdefault(name, {})
                at = inner if isinstance(inner, dict) else at
            at.setdefault(path[-1], self._answered(path[-1]))
        for path in request.reads:
            if len(path) > 1 and not isinstance(answer[path[0]], dict):
                del answer[path[0]]
        if answer:
            sure = all("{session}" in leaf or _is_of_session(leaf) for leaf in _leaves(answer))
            question = "" if sure else "  # ? a value that the plugin takes"
            yield f"answer={json.dumps(answer)},{question}"
        elif request is self.opening:
            yield "answer={},  # ? what does the plugin read"
        if request.needs:
            needed = ", ".join(map(json.dumps, request.needs))
            yield f"needed_fields=({needed}{',' if len(request.needs) == 1 else ''}),"

    def _answered(self, name: str) -> str:
        return f"wss://{self.host}{_SOCKET_PATH}" if _is_url(name) else self.told[_folded(name)]


def _folded(name: str) -> str:
    """The same for ``sessionToken`` as for ``session_token``."""
    return name.replace("_", "").lower()


def _told(name: str, *, is_session: bool) -> str:
    """What the vendor answers under a name; before a session is opened, it can't be its id."""
    return "{session}" if is_session and _is_of_session(name) else f"{name}-1"


def _is_of_session(name: str) -> bool:
    return name.lower() == "id" or any(word in name.lower() for word in SESSION_WORDS)


def _is_url(name: str) -> bool:
    return name.lower().endswith("url")


def _leaves(answer: Mapping[str, object]) -> Iterator[str]:
    for value in answer.values():
        if isinstance(value, Mapping):
            yield from _leaves(value)
        else:
            yield str(value)


@dataclass(frozen=True)
class _Code:
    """A call of a function, or a dict where there is no function."""

    function: str
    arguments: tuple[object, ...]

    def __str__(self) -> str:
        begin, end = ("{", "}") if not self.function else (f"{self.function}(", ")")
        return begin + ", ".join(map(str, self.arguments)) + end

    def lines(self, before: str, after: str, indent: int) -> Iterator[str]:
        """It in as few lines as it fits in."""
        whole = f"{before}{self}{after}"
        if indent + len(whole) <= WIDTH or not self.arguments:
            yield whole
            return
        begin, end = ("{", "}") if not self.function else (f"{self.function}(", ")")
        yield f"{before}{begin}"
        for argument in self.arguments:
            key, value = argument if isinstance(argument, _Item) else ("", argument)
            if isinstance(value, _Code):
                lines = value.lines(f"{key}", ",", indent + 4)
                yield from (f"    {line}" for line in lines)
            else:
                yield f"    {key}{value},"
        yield f"{end}{after}"


class _Item(tuple[str, object]):
    """An item of a dict: its key as it is written, and its value."""

    def __new__(cls, key: str, value: object) -> _Item:
        return super().__new__(cls, (f"{json.dumps(key)}: ", value))

    def __str__(self) -> str:
        return f"{self[0]}{self[1]}"


def _argument(name: str, value: object, question: str) -> Iterator[str]:
    if isinstance(value, _Code):
        lines = list(value.lines(f"{name}=", ",", 12))
        yield from [f"{lines[0]}{question}", *lines[1:]]
    else:
        yield f"{name}={value},{question}"


def _schema(value: Value, name: str = "") -> object:
    if isinstance(value, Fields) and not value.items:
        return "{}"
    if isinstance(value, Fields):
        items = [(_Item(k, _schema(f.value, k)), f.required) for k, f in value.items.items()]
        required = [item for item, always in items if always]
        optional = [item for item, always in items if not always]
        if value.open:
            every = _Code("", (*required, *optional))
            names = json.dumps([item for item, f in value.items.items() if f.required])
            kind = _Item("type", '"object"')
            return _Code("", (kind, _Item("required", names), _Item("properties", every)))
        parts = [_Code("", tuple(required)), *([_Code("", tuple(optional))] if optional else [])]
        return _Code("fields", tuple(parts))
    if isinstance(value, Text):
        return "STRING"
    if isinstance(value, Known):
        if value.sure:
            literal = json.dumps(value.value) if isinstance(value.value, str) else value.value
            return _Code("", (_Item("const", literal),))
        return "STRING" if isinstance(value.value, str) else "{}"
    text = value.text
    if text is None:
        words = (re.split(r"_|(?<=[a-z])(?=[A-Z])", each)[-1] for each in (name, value.name))
        text = any(word.lower() in _STRINGS for word in words)
    return "STRING" if text else "{}"
