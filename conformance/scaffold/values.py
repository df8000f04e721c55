"""What an expression in a plugin's source will be, as far as it can be told without running it."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .program import Function, Program, string

_DEEPEST = 24
_NOTHING = ("NOT_GIVEN", "None")
_ROOM_URL = "LIVEKIT_URL"


@dataclass(frozen=True)
class Unknown:
    """Known when the plugin runs. ``variable`` is the environment's name for it, if it has one."""

    name: str
    variable: str | None = None
    text: bool | None = None
    """Whether it is a string, if that can be told."""

    @property
    def is_room_url(self) -> bool:
        """Whether it is the URL of the LiveKit server."""
        return self.variable == _ROOM_URL or self.name == _ROOM_URL.lower()

    @property
    def is_room_token(self) -> bool:
        """Whether it is a token that the plugin has minted."""
        return self.name == _TOKEN.name


_TOKEN = Unknown("a room token", text=True)
_ANYTHING = Unknown("?")


@dataclass(frozen=True)
class Known:
    """A constant; not ``sure`` where something else may take its place."""

    value: object
    sure: bool = True


@dataclass(frozen=True)
class Text:
    """A string that is put together."""

    parts: tuple[str | Unknown, ...]


@dataclass(frozen=True)
class Field:
    """A value in `Fields`, and whether it is always there."""

    value: Value
    required: bool = True


@dataclass(frozen=True)
class Fields:
    """A dict; there may be more in it than its ``items`` where it is ``open``."""

    items: Mapping[str, Field]
    open: bool = False

    def with_all(self, other: Value, *, required: bool) -> Fields:
        """These and the others, which win."""
        if not isinstance(other, Fields):
            return Fields(self.items, open=True)
        more = {k: Field(f.value, f.required and required) for k, f in other.items.items()}
        return Fields({**self.items, **more}, open=self.open or other.open)


Value = Unknown | Known | Text | Fields


@dataclass(frozen=True)
class Scope:
    """A function while it is called: what its parameters are, and what ``**`` holds."""

    program: Program
    function: Function
    given: Mapping[str, Value] = field(default_factory=dict)
    extra: Mapping[str, Value] = field(default_factory=dict)
    asked: frozenset[tuple[str, int]] = frozenset()

    def value(self, node: ast.AST) -> Value:
        """What an expression of this function is."""
        if len(self.asked) > _DEEPEST:
            return _ANYTHING
        if isinstance(node, ast.Constant):
            return Known(node.value)
        if isinstance(node, ast.JoinedStr):
            return self._text(node)
        if isinstance(node, ast.Dict):
            return self._dict(node)
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.BoolOp):
            return _chosen([self.value(each) for each in node.values])
        if isinstance(node, ast.IfExp):
            return _chosen([self.value(node.body), self.value(node.orelse)])
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            return _joined([self.value(node.left), self.value(node.right)])
        if isinstance(node, ast.Await):
            return self.value(node.value)
        if isinstance(node, ast.Call):
            return self._call(node)
        if isinstance(node, ast.Subscript) and (key := string(node.slice)) is not None:
            return Unknown(key)
        return _ANYTHING

    def called(self, callee: Function, call: ast.Call) -> Scope:
        """The scope of a function that is called here."""
        positional, rest = callee.parameters(), dict[str, Value]()
        given: dict[str, Value] = {}
        for name, argument in zip(positional, call.args, strict=False):
            given[name] = self.value(argument)
        for keyword in call.keywords:
            if keyword.arg is None:
                rest |= self.extra
            elif keyword.arg in callee.annotations():
                given[keyword.arg] = self.value(keyword.value)
            else:
                rest[keyword.arg] = self.value(keyword.value)
        return Scope(self.program, callee, given, rest)

    def _text(self, node: ast.JoinedStr) -> Value:
        return _joined(
            [
                self.value(part.value) if isinstance(part, ast.FormattedValue) else self.value(part)
                for part in node.values
            ]
        )

    def _dict(self, node: ast.Dict) -> Fields:
        found = Fields({})
        for key, value in zip(node.keys, node.values, strict=True):
            name = string(key)
            if name is not None:
                one = Fields({name: Field(self.value(value))})
                found = found.with_all(one, required=True)
            elif key is None:
                found = found.with_all(self.value(value), required=True)
            else:
                found = Fields(found.items, open=True)
        return found

    def _name(self, name: str) -> Value:
        key = (name, id(self.function.node))
        if key not in self.asked:
            inner = self._asking(key)
            for expression in self.function.assigned(name):
                value = inner.value(expression)
                if value == _ANYTHING:
                    return Unknown(name)
                if isinstance(value, Fields):
                    return inner._changed(name, value)
                return value
        if name in self.given:
            return self.given[name]
        annotations = self.function.annotations()
        if name in annotations:
            default = self.function.default(name)
            if default is not None and ast.unparse(default) not in _NOTHING:
                found = Scope(self.program, self.function, asked=self.asked).value(default)
                if isinstance(found, Known):
                    return Known(found.value, sure=False)
            return Unknown(name, text=_is_text(annotations[name]))
        constant = self.program.constant(name, self.function.module)
        return Known(constant.value) if constant is not None else Unknown(name)

    def _changed(self, name: str, value: Fields) -> Fields:
        """What becomes of a dict after it was assigned to a local name."""
        for node, always in self.function.statements():
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Subscript):
                target = node.targets[0]
                key = string(target.slice)
                if key is not None and ast.unparse(target.value) == name:
                    one = Fields({key: Field(self.value(node.value))})
                    value = value.with_all(one, required=always)
            elif (
                isinstance(node, ast.Expr)
                and isinstance(node.value, ast.Call)
                and ast.unparse(node.value.func) == f"{name}.update"
            ):
                for argument in node.value.args:
                    value = value.with_all(self.value(argument), required=always)
        return value

    def _attribute(self, node: ast.Attribute) -> Value:
        of = ast.unparse(node.value)
        if of == "self":
            key = (f"self.{node.attr}", id(self.function.owner))
            for function, expression in self.program.attribute(self.function.owner, node.attr):
                if key in self.asked:
                    break
                given = self.given if function is self.function else {}
                there = Scope(self.program, function, given, asked=self.asked)
                if not given and function.name == "__init__":
                    there = self._constructed(function)
                value = there._asking(key).value(expression)
                if value not in (Known(None), _ANYTHING):
                    return value
        if of.endswith("room") and node.attr == "name":
            return Unknown("room_name", text=True)
        return Unknown(node.attr)

    def _constructed(self, function: Function) -> Scope:
        """A constructor as it is called in the plugin itself."""
        owner = function.owner.name if function.owner is not None else ""
        for caller, call in self.program.calls(owner):
            key = (f"new {owner}", id(call))
            if key not in self.asked:
                there = Scope(self.program, caller, asked=self.asked | {key})
                found = there.called(function, call)
                return Scope(self.program, function, found.given, asked=there.asked)
        return Scope(self.program, function, asked=self.asked)

    def _call(self, node: ast.Call) -> Value:
        called = ast.unparse(node.func)
        last = called.rpartition(".")[2]
        if called.endswith(("getenv", "environ.get")) and node.args:
            if len(node.args) > 1 and string(node.args[1]) is not None:
                return Known(string(node.args[1]), sure=False)
            if len(node.args) > 1:
                default = self.value(node.args[1])
                if isinstance(default, Known) and isinstance(default.value, str):
                    return Known(default.value, sure=False)
            named = self.value(node.args[0])
            variable = str(named.value) if isinstance(named, Known) else None
            return Unknown(variable or "?", variable, text=True)
        if last == "to_jwt":
            return _TOKEN
        if last == "get" and node.args and (key := string(node.args[0])) is not None:
            return Unknown(key)
        if last in ("str", "dict", "dumps") and len(node.args) == 1:
            return self.value(node.args[0])
        if last == "cast" and len(node.args) == 2:
            return self.value(node.args[1])
        makers = [each for each in self.program.named(last) if each.returns() is not None]
        if len(makers) == 1 and (last, id(node)) not in self.asked:
            there = self.called(makers[0], node)
            there = Scope(there.program, there.function, there.given, asked=self.asked)
            returned = makers[0].returns()
            assert returned is not None, "it was asked for"
            return there._asking((last, id(node))).value(returned)
        return _ANYTHING

    def _asking(self, key: tuple[str, int]) -> Scope:
        return Scope(self.program, self.function, self.given, self.extra, self.asked | {key})


def _chosen(values: list[Value]) -> Value:
    """Which of several it is when the user has given nothing but the environment."""
    for value in values:
        if isinstance(value, Unknown) and value.variable is not None:
            return value
    fields = [value for value in values if isinstance(value, Fields)]
    if fields:
        return max(fields, key=lambda each: len(each.items))
    for value in values:
        if isinstance(value, Known) and isinstance(value.value, str) and value.value:
            return Known(value.value, sure=False)
    for value in values:
        if isinstance(value, Text):
            return value
    return next((value for value in values if value != Known(None)), _ANYTHING)


def _joined(values: list[Value]) -> Value:
    parts = tuple(part for value in values for part in _parts(value))
    if all(isinstance(part, str) for part in parts):
        sure = all(isinstance(v, Known) and v.sure for v in values)
        return Known("".join(str(part) for part in parts), sure=sure)
    return Text(parts)


def _parts(value: Value) -> Iterator[str | Unknown]:
    if isinstance(value, Known):
        yield str(value.value)
    elif isinstance(value, Text):
        yield from value.parts
    elif isinstance(value, Unknown):
        yield value
    else:
        yield _ANYTHING


def _is_text(annotation: ast.expr | None) -> bool | None:
    if annotation is None:
        return None
    words = ast.unparse(annotation)
    return "str" in words and "dict" not in words
