"""A vendor's API as the source of an adapter, from what the runs have shown."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.loopback.stage import CREDENTIALS
from conformance.suite.scene.scene import AGENT, ROOM

from .any_backend import CLOSE, START, RecordedCall, claims_of, is_room_token, leaves
from .body_schema import pointers, python, schema_source
from .recorder import Findings
from .recording import Recording

_CLIENTS_OWN = re.compile(
    r"accept|accept-encoding|accept-language|connection|content-length|content-type|cookie|host|"
    r"origin|sec-websocket-.*|traceparent|tracestate|transfer-encoding|upgrade|user-agent",
    re.IGNORECASE,
)
"""The headers that a client sends by itself."""
_ENDING = {"stop", "end", "delete", "close", "cancel", "leave", "terminate"}
_SESSION_WORDS = ("session", "conversation", "reservation", "task", "call")


@dataclass
class Endpoint:
    """One endpoint: the lines of its source, where a line that asks has its question."""

    kind: str
    lines: list[str] = field(default_factory=list)

    def add(self, source: str, question: str = "") -> None:
        """Add an argument."""
        self.lines.append(f"{source}," + (f"  # ? {question}" if question else ""))


class ApiText:
    """Writes the endpoints of a vendor's API."""

    def __init__(self, found: Findings) -> None:
        self._found = found
        self._runs = [found.base, *found.others]
        opening = (c for c in found.base.calls if any(map(is_room_token, _values(c))))
        self._opening = next(opening, None)
        own = found.draft.answers.get(self._opening.key, {}) if self._opening else {}
        self._session: list[str] = []
        """What the opening call answers that stands for the session."""
        self._session = [
            value
            for at, value in pointers(own)
            if isinstance(value, str) and "://" not in value and self._is_id(at, value)
        ]

    @property
    def needs_context(self) -> bool:
        """Whether a schema names the agent's identity."""
        return any("context." in line for each in self.endpoints() for line in each.lines)

    @property
    def ends_session(self) -> bool:
        """Whether closing the avatar alone told the vendor something."""
        closing = [c for c in self._found.base.calls if c.phase == CLOSE and self._addresses(c)]
        return bool(closing) or any(m[0] == CLOSE for m in self._found.base.data)

    def endpoints(self) -> list[Endpoint]:
        """Every call, socket and message, in the order in which they came."""
        found: dict[str, Endpoint] = {}
        runs = [self._found.base, *self._found.endings.values()]
        for run in runs:
            for call in run.calls:
                if call.key not in found and (call.phase == START or run.works):
                    found[call.key] = self._socket(call) if call.is_socket else self._call(call)
        messages = {m[1:]: m for run in runs for m in run.data}
        return [*found.values(), *(self._message(m) for m in messages.values())]

    def sockets(self) -> list[RecordedCall]:
        """The WebSockets that were opened."""
        return [call for call in self._found.base.calls if call.is_socket]

    def _call(self, call: RecordedCall) -> Endpoint:
        made = Endpoint("Call")
        opens = self._opening is not None and call.key == self._opening.key
        made.add(python(self._name(call, opens)))
        made.add(python(call.method))
        made.add(python(call.path))
        if call.host != self._found.base.hosts[0]:
            made.add(f"host={python(call.host)}")
        self._add_headers(made, call)
        same = [c for run in self._runs for c in run.calls if c.key == call.key] or [call]
        if any(c.body is not None for c in same):
            made.add(f"body={schema_source([c.body for c in same], self._known)}")
        if call.body_format != "json":
            made.add(f"body_format={python(call.body_format)}")
        if opens:
            self._add_room(made, call)
            made.add(
                "opens_session=True",
                "does the vendor end it once its participant is gone: ends_with_worker=True",
            )
        elif call.phase != START:
            self._add_ending(made, call)
        self._add_answer(made, call)
        if call.phase != START:
            made.add('when="later"')
        return made

    def _name(self, call: RecordedCall, opens: bool) -> str:
        if opens:
            return "open session"
        words = [step for step in call.path.split("/") if step and "{" not in step]
        return f"{call.method.lower()} {words[-1] if words else 'root'}".replace("-", " ")

    def _add_headers(self, made: Endpoint, call: RecordedCall) -> None:
        own = self._templates(self._found.base, call.headers)
        for other in self._found.others[:1]:
            beside = next((c for c in other.calls if c.key == call.key), None)
            if beside is not None:
                theirs = self._templates(other, beside.headers)
                own = {name: value for name, value in own.items() if theirs.get(name) == value}
        hidden = [name for name, value in own.items() if self._hides_secret(value)]
        for name in hidden:
            del own[name]
        if own:
            made.add(f"headers={python(own)}")
        for name in hidden:
            made.lines.append(
                f"# ? the header {name} has a credential in base64: leave it unjudged"
            )
        query = self._templates(self._found.base, call.query)
        if query:
            made.add(f"query={python(query)}")

    def _templates(self, run: Recording, values: Mapping[str, str]) -> dict[str, str]:
        return {
            name: self._template(run, value)
            for name, value in values.items()
            if not (_CLIENTS_OWN.fullmatch(name) or is_room_token(value.rpartition(" ")[2]))
        }

    def _template(self, run: Recording, value: str) -> str:
        for name, secret in run.secrets.items():
            value = value.replace(secret, "{" + name + "}")
        for session in self._session:
            value = value.replace(session, "{session}")
        return value

    def _hides_secret(self, value: str) -> bool:
        try:
            text = base64.b64decode(value.rpartition(" ")[2], validate=True).decode()
        except ValueError:
            return False
        return any(secret in text for secret in self._found.base.secrets.values())

    def _known(self, value: Any) -> str | None:
        if value == AGENT:
            return '{"const": context.agent_identity}'
        by_value = (CREDENTIALS.url, ROOM, self._found.base.room_sid)
        if value in by_value or is_room_token(value) or value in self._session:
            return "STRING"
        return None

    def _add_room(self, made: Endpoint, call: RecordedCall) -> None:
        places = _places(call)
        tokens = [(at, value) for at, value in places if is_room_token(value)]
        identity = str(claims_of(tokens[0][1]).get("sub"))
        at_url = next((at for at, value in places if value == CREDENTIALS.url), None)
        repeated = {"identity": identity, "room_name": ROOM}
        options = ""
        for name, value in repeated.items():
            at = next((at for at, each in places if each == value), None)
            options += f", {name}={python(at)}" if at is not None else ""
        accesses = []
        for number, (at, _) in enumerate(tokens):
            name = "" if number == 0 else f', participant="participant-{number + 1}"'
            accesses.append(f"RoomAccess({python(at_url)}, {python(at)}{options}{name})")
        if len(accesses) == 1:
            made.add(f"room={accesses[0]}")
        else:
            made.add(f"room=({', '.join(accesses)})", "which of them shows video, and which hears")

    def _add_ending(self, made: Endpoint, call: RecordedCall) -> None:
        for at, value in pointers(call.body):
            if value in self._session:
                made.add(f"session={python(at)}")
                break
        if self._addresses(call):
            words = set(call.path.rpartition("/")[2].replace("-", "_").split("_"))
            sure = call.method == "DELETE" or words & _ENDING
            made.add("ends_session=True", "" if sure else "does it end the vendor's session")

    def _addresses(self, call: RecordedCall) -> bool:
        """Whether a call names the session that was opened."""
        return "{session}" in call.path or any(
            session in str(value) for value in _values(call) for session in self._session
        )

    def _add_answer(self, made: Endpoint, call: RecordedCall) -> None:
        answer = self._found.draft.answers.get(call.key)
        if answer:
            unknown = [*self._unknown(answer)]
            question = f"what is {', '.join(unknown)} in truth" if unknown else ""
            made.add(f"answer={python(self._in_session(answer, call))}", question)
            needed = self._found.needed.get(call.key, ())
            if needed:
                made.add(f"needed_fields={python(tuple(needed))}")
        if call.key in self._found.ignored:
            made.add("answer_ignored=True")

    def _in_session(self, value: Any, call: RecordedCall) -> Any:
        if isinstance(value, Mapping):
            return {name: self._in_session(each, call) for name, each in value.items()}
        opens = self._opening is not None and call.key == self._opening.key
        return "{session}" if opens and value in self._session else value

    def _unknown(self, answer: Mapping[str, Any]) -> Iterator[str]:
        """The fields that are read and whose value nobody was seen to use."""
        for at, value in pointers(answer):
            if not (self._is_id(at, value) or "://" in str(value)):
                yield at.rpartition("/")[2]

    def _is_id(self, at: str, value: Any) -> bool:
        """Whether what is answered there is named like a session's id, or is used later on."""
        name = at.rpartition("/")[2].lower()
        used = (str(v) for run in self._runs for c in run.calls for v in _values(c))
        return (
            name == "id"
            or any(word in name for word in _SESSION_WORDS)
            or any(str(value) in each for each in used)
        )

    def _socket(self, call: RecordedCall) -> Endpoint:
        made = Endpoint("Socket")
        made.add('"audio socket"')
        made.add(python(call.path))
        made.add("serve_audio")
        if call.host != self._found.base.hosts[0]:
            made.add(f"host={python(call.host)}")
        self._add_headers(made, call)
        if self._opening is not None and call.key == self._opening.key:
            self._add_room(made, call)
            made.add(
                "opens_session=True", "is it over when the socket is closed: ends_session=True"
            )
        else:
            named = (at for at, value in _places(call) if value in self._session)
            place = next(named, None)
            if place is not None:
                made.add(f"session={python(place)}")
        return made

    def _message(self, message: tuple[str, str, bytes]) -> Endpoint:
        phase, topic, payload = message
        made = Endpoint("DataMessage")
        body = _json(payload)
        made.add('"told at the end"' if phase == CLOSE else '"told"')
        if body is not None:
            made.add(schema_source([body], self._known))
        if topic:
            made.add(f"topic={python(topic)}")
        if phase == CLOSE:
            made.add("ends_session=True", "does the vendor end its session on this message")
        return made


def _values(call: RecordedCall) -> Sequence[Any]:
    messages = [value for message in call.messages for value in leaves(message)]
    headers = [value.rpartition(" ")[2] for value in call.headers.values()]
    return [*leaves(call.body), *call.query.values(), *headers, *messages]


def _places(call: RecordedCall) -> list[tuple[str, Any]]:
    """The places of a request with their values; of a socket the body is its first message."""
    body = next(iter(call.messages), None) if call.is_socket else call.body
    return [
        *pointers(body),
        *((f"query:{name}", value) for name, value in call.query.items()),
        *((f"header:{name}", value.rpartition(" ")[2]) for name, value in call.headers.items()),
    ]


def _json(payload: bytes) -> Any:
    try:
        return json.loads(payload)
    except ValueError:
        return None
