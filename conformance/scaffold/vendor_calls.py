"""The HTTP calls that a plugin's source makes: with what, and what it reads of the answers."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from .program import Function, Program, string
from .values import Fields, Known, Scope, Text, Unknown, Value

_METHODS = ("get", "post", "put", "patch", "delete")
_ENTRIES = ("start", "aclose")
_DEEPEST, _MOST = 6, 200
"""How many functions lead to a call, and how many ways there are, at most."""
SESSION_WORDS = ("session", "conversation", "reservation", "task")
"""Words in the names of what vendors call a session."""
_ENDING = ("stop", "end", "delete", "close", "cancel", "leave", "terminate")


@dataclass(frozen=True)
class Request:
    """An HTTP request that the plugin makes; None and empty where that can't be told."""

    method: str
    path: str
    host: str | None = None
    headers: Fields = field(default_factory=lambda: Fields({}))
    body: Value | None = None
    reads: tuple[tuple[str, ...], ...] = ()
    """Where in the answer the plugin looks, each as the names on the way."""
    needs: tuple[str, ...] = ()
    """The fields of the answer that it can't do without."""
    decodes: bool = False
    """Whether it decodes the answer at all."""
    at_start: bool = True
    """Whether ``start()`` makes it, and not only when it fails."""

    @property
    def ends_session(self) -> bool:
        """Whether it seems to end the vendor's session."""
        steps = [step for step in self.path.lower().split("/") if step and "{" not in step]
        words = re.split("[-_]", steps[-1]) if steps else []
        return self.method == "DELETE" or bool({*words} & {*_ENDING})

    @property
    def brings_avatar(self) -> bool:
        """Whether it carries a token for the room."""
        return bool(self.pointers(token=True))

    def pointers(self, *, token: bool) -> tuple[str, ...]:
        """JSON pointers to the room's URLs in the body, or to its tokens."""
        return tuple(
            pointer
            for pointer, value in _leaves(self.body, "")
            if (value.is_room_token if token else value.is_room_url)
        )

    @property
    def room_name(self) -> str | None:
        """The JSON pointer to the room's name in the body."""
        named = [p for p, value in _leaves(self.body, "") if value.name == "room_name"]
        return named[0] if named else None


@dataclass(frozen=True)
class _Step:
    """A call in a function."""

    function: Function
    call: ast.Call


def requests(program: Program, base: str) -> tuple[Request, ...]:
    """Every request that ``start()`` makes, in its order, then those that come later.

    ``base`` is the path of the base URL, for a plugin that does not tell how it comes to it.
    """
    found: list[tuple[tuple[int, ...], bool, Request]] = []
    for step in _raw_calls(program):
        for chain in itertools.islice(_chains(program, (step,)), _MOST):
            request = _request(program, chain, base)
            if request is not None:
                order = tuple(each.call.lineno for each in chain)
                found.append((order, _is_of_avatar(program, chain[0].function), request))
    used = [entry for entry in found if entry[1]] or found
    used.sort(key=lambda entry: (not entry[2].at_start, not entry[2].brings_avatar, entry[0]))
    once: dict[tuple[str, str], Request] = {}
    for _, _, request in used:
        once.setdefault((request.method, request.path), request)
    order_of = {id(entry[2]): entry[0] for entry in used}
    return tuple(sorted(once.values(), key=lambda r: (not r.at_start, order_of[id(r)])))


def _is_of_avatar(program: Program, root: Function) -> bool:
    """Whether the avatar itself makes a call that nothing else leads to.

    Its private methods count, for they may be callbacks; its public ones are for others to call.
    """
    of_avatar = root.owner is program.package.avatar
    return of_avatar and (root.name in _ENTRIES or root.name.startswith("_"))


def _raw_calls(program: Program) -> Iterator[_Step]:
    """The calls of an HTTP client: what is awaited or entered, and is called like a method."""
    for function in program.functions:
        waited = {
            id(node.value if isinstance(node, ast.Await) else node.context_expr)
            for node in ast.walk(function.node)
            if isinstance(node, (ast.Await, ast.withitem))
        }
        for call in function.calls():
            if id(call) in waited and isinstance(call.func, ast.Attribute):
                name = call.func.attr
                on_itself = ast.unparse(call.func.value) == "self"
                plain = name in _METHODS and (call.args or _keyword(call, "url"))
                if not on_itself and (plain or (name == "request" and len(call.args) > 1)):
                    yield _Step(function, call)


def _chains(program: Program, chain: tuple[_Step, ...]) -> Iterator[tuple[_Step, ...]]:
    """The ways from a function that nobody calls to a call, the outermost function first."""
    function = chain[0].function
    is_entry = function.owner is program.package.avatar and function.name in _ENTRIES
    callers = [
        _Step(caller, call)
        for caller, call in program.callers(function)
        if all(caller is not step.function for step in chain)
    ]
    if is_entry or not callers or len(chain) >= _DEEPEST:
        yield chain
        return
    for step in callers:
        yield from _chains(program, (step, *chain))


def _request(program: Program, chain: tuple[_Step, ...], base: str) -> Request | None:
    scope = Scope(program, chain[0].function)
    for step, inner in itertools.pairwise(chain):
        scope = scope.called(inner.function, step.call)
    call = chain[-1].call
    method: Value = Known(ast.unparse(call.func).rpartition(".")[2])
    url = _keyword(call, "url") or (call.args[-1] if call.args else None)
    if method == Known("request"):
        method, url = scope.value(call.args[0]), call.args[1]
    elif call.args:
        url = call.args[0]
    if url is None or not isinstance(method, Known) or str(method.value).lower() not in _METHODS:
        return None
    place = _place(scope.value(url), base)
    if place is None:
        return None
    host, path = place
    headers = _given(scope, call, "headers")
    body = _given(scope, call, "json")
    reads = list(_reads(chain))
    raw = ast.unparse(chain[-1].function.node)
    request = Request(
        method=str(method.value).upper(),
        path=path,
        host=host,
        headers=headers if isinstance(headers, Fields) else Fields({}),
        body=None if body == Known(None) else body,
        reads=tuple(dict.fromkeys(path for path, _ in reads)),
        needs=tuple(dict.fromkeys(path[0] for path, needed in reads if needed)),
        decodes=".json()" in raw or ".read()" in raw or bool(reads),
    )
    at_start = chain[0].function.name == "start" and not request.ends_session
    return replace(request, at_start=at_start)


def _given(scope: Scope, call: ast.Call, name: str) -> Value | None:
    expression = _keyword(call, name)
    if expression is not None:
        return scope.value(expression)
    for keyword in call.keywords:
        if keyword.arg is None:
            for part in scope.function.assigned(ast.unparse(keyword.value)):
                value = scope.value(part)
                if isinstance(value, Fields) and name in value.items:
                    return value.items[name].value
    return scope.extra.get(name)


def _place(url: Value, base: str) -> tuple[str | None, str] | None:
    """Host and path of a URL; in the path ``{name}`` stands for what is only known later."""
    parts: Sequence[str | Unknown]
    if isinstance(url, Known) and isinstance(url.value, str):
        parts = [url.value]
    elif isinstance(url, Text):
        parts = url.parts
    elif isinstance(url, Unknown) and url.name.lower().endswith("url"):
        parts = [url]
    else:
        return None
    known_base = isinstance(parts[0], str)
    if not known_base:
        parts = [base, *parts[1:]]
    text = "".join(part if isinstance(part, str) else _placeholder(part) for part in parts)
    split = urlsplit(text)
    if not known_base or not split.hostname:
        return None, "/" + split.path.lstrip("/")
    return split.hostname, split.path or "/"


def _placeholder(part: Unknown) -> str:
    name = part.name.strip("_").lower()
    is_session = name in ("id", "?") or any(word in name for word in SESSION_WORDS)
    return "{session}" if is_session or not name.isidentifier() else f"{{{name}}}"


def _keyword(call: ast.Call, name: str) -> ast.expr | None:
    return next((each.value for each in call.keywords if each.arg == name), None)


def _leaves(value: Value | None, pointer: str) -> Iterator[tuple[str, Unknown]]:
    if isinstance(value, Unknown):
        yield pointer, value
    elif isinstance(value, Fields):
        for name, inner in value.items.items():
            yield from _leaves(inner.value, f"{pointer}/{name}")


def _reads(chain: tuple[_Step, ...]) -> Iterator[tuple[tuple[str, ...], bool]]:
    """The names below which the answer is looked at, and whether it fails without the first."""
    for step in reversed(chain):
        nodes = list(ast.walk(step.function.node))
        answer = _Answer(step.call, is_raw=step is chain[-1])
        for node in nodes:
            answer.follow(node)
        yield from filter(None, map(answer.read, nodes))
        returned = [node.value for node in nodes if isinstance(node, ast.Return) and node.value]
        if not any(map(answer.is_in, returned)):
            return


class _Answer:
    """The answer of one call, wherever its function has it."""

    def __init__(self, call: ast.Call, *, is_raw: bool) -> None:
        self._call = call
        self._is_raw = is_raw
        self._names: set[str] = set()
        self._responses: set[str] = set()

    def follow(self, node: ast.AST) -> None:
        """Note what the answer, or the response that it comes in, is assigned to."""
        if isinstance(node, ast.withitem) and node.context_expr is self._call:
            self._responses |= _names([node.optional_vars])
        elif isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = _names(node.targets if isinstance(node, ast.Assign) else [node.target])
            if self.is_in(node.value):
                self._names |= targets
            elif self._is_raw and _awaited(node.value) is self._call:
                self._responses |= targets

    def is_in(self, node: ast.expr) -> bool:
        """Whether an expression is the answer as a whole."""
        node = _awaited(node)
        if isinstance(node, ast.Name):
            return node.id in self._names
        if node is self._call:
            return not self._is_raw
        if not isinstance(node, ast.Call):
            return False
        of, _, called = ast.unparse(node.func).rpartition(".")
        if called in ("json", "text", "read"):
            return of in self._responses
        return called in ("loads", "cast") and bool(node.args) and self.is_in(node.args[-1])

    def read(self, node: ast.AST) -> tuple[tuple[str, ...], bool] | None:
        """The names on the way to what is read of it here, if it is."""
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            inner, key, needed = node.value, string(node.slice), True
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "get"
            and node.args
        ):
            inner, key, needed = node.func.value, string(node.args[0]), False
        else:
            return None
        if key is None:
            return None
        if self.is_in(inner):
            return (key,), needed
        outer = self.read(inner)
        return None if outer is None else ((*outer[0], key), outer[1])


def _awaited(node: ast.expr) -> ast.expr:
    return node.value if isinstance(node, ast.Await) else node


def _names(targets: Sequence[ast.expr | None]) -> set[str]:
    return {target.id for target in targets if isinstance(target, ast.Name)}
