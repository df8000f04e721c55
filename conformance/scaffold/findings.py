"""What the source of an avatar plugin tells of it, for a first adapter."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from conformance.plugin.manifest import Transport

from .sources import Package

_HOST_CONSTRUCTS = ("DataStreamAudioOutput", "QueueAudioOutput", "AvatarRunner", "ws_connect")
_METHODS = ("get", "post", "put", "patch", "delete")
_URL = re.compile(r"(https|wss)://[^\s/]+(/\S*)?")
_PATH = re.compile(r"/[A-Za-z0-9_./{}-]+")
_URL_FIELD = re.compile(r"(livekit|server|ws|room).*url|url", re.IGNORECASE)
_TOKEN_FIELD = re.compile(r".*token", re.IGNORECASE)
_HEADER = re.compile(r"authorization|x-.*|api-.*", re.IGNORECASE)
_DOCUMENTATION = ("docs.", "www.", "github.com", "apache.org", "livekit.io")


@dataclass(frozen=True)
class Parameter:
    """A parameter of ``AvatarSession.__init__``; ``variable`` is the environment's name for it."""

    name: str
    required: bool
    variable: str | None


@dataclass(frozen=True)
class Request:
    """An HTTP request that the plugin seems to make."""

    method: str
    path: str


@dataclass(frozen=True)
class Findings:
    """What was found; what was not is None or empty."""

    package: str
    distribution: str
    version: str
    avatar: str
    exception: str | None
    transport: Transport | None
    hosts: tuple[str, ...]
    sample_rate: int | None
    identity: str | None
    parameters: tuple[Parameter, ...]
    variables: tuple[str, ...]
    requests: tuple[Request, ...]
    headers: tuple[str, ...]
    room: tuple[str, str] | None
    """JSON pointers to the room's URL and the token in a request."""


def find(package: Package) -> Findings:
    """Look through a plugin's source."""
    nodes = [node for source in package.sources for node in ast.walk(source.tree)]
    constants = dict(_constants(package))
    variables = tuple(dict.fromkeys(_variables(nodes)))
    urls = _urls(nodes)
    base = urls[0].path.rstrip("/") if len(urls) == 1 and urls[0].scheme == "https" else ""
    return Findings(
        package=package.name,
        distribution=package.distribution,
        version=package.version,
        avatar=package.avatar.name,
        exception=_exception(package),
        transport=_transport(nodes),
        hosts=tuple(dict.fromkeys(url.hostname for url in urls if url.hostname)),
        sample_rate=_sample_rate(nodes, constants),
        identity=_identity(constants),
        parameters=tuple(_parameters(package.avatar, variables)),
        variables=variables,
        requests=tuple(dict.fromkeys(_requests(nodes, base)))
        or ((Request("POST", base),) if base else ()),
        headers=tuple(dict.fromkeys(_headers(nodes))),
        room=_room(nodes),
    )


def _constants(package: Package) -> Iterator[tuple[str, object]]:
    for source in package.sources:
        for node in source.tree.body:
            value = getattr(node, "value", None)
            if isinstance(value, ast.Constant):
                targets = node.targets if isinstance(node, ast.Assign) else []
                targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
                for target in targets:
                    if isinstance(target, ast.Name):
                        yield target.id, value.value


def _variables(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        name: ast.expr | None = None
        if isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func)
            if called.endswith(("getenv", "environ.get")):
                name = node.args[0]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
            name = node.slice
        value = _string(name)
        if value is not None and not value.startswith("LIVEKIT_"):
            yield value


def _exception(package: Package) -> str | None:
    for source in package.sources:
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef):
                bases = [ast.unparse(base).rpartition(".")[2] for base in node.bases]
                if any(base.endswith(("Exception", "Error")) for base in bases):
                    return f"{source.module.removesuffix('.__init__')}:{node.name}"
    return None


def _transport(nodes: Sequence[ast.AST]) -> Transport | None:
    used = {
        name
        for node in nodes
        if isinstance(node, (ast.Call, ast.ClassDef))
        for name in _HOST_CONSTRUCTS
        if name in ast.unparse(node.func if isinstance(node, ast.Call) else node).split("\n")[0]
    }
    if "DataStreamAudioOutput" in used:
        return "bytestream"
    if "ws_connect" in used:
        return "websocket"
    return "in-process" if "AvatarRunner" in used else None


def _urls(nodes: Sequence[ast.AST]) -> tuple[SplitResult, ...]:
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    urls: dict[str, SplitResult] = {}
    for node in nodes:
        value = _string(node)
        if value is None or id(node) in docstrings or not _URL.fullmatch(value):
            continue
        split = urlsplit(value)
        if split.hostname and not any(part in split.hostname for part in _DOCUMENTATION):
            urls[value] = split
    return tuple(urls.values())


def _sample_rate(nodes: Sequence[ast.AST], constants: Mapping[str, object]) -> int | None:
    for node in nodes:
        if isinstance(node, ast.keyword) and node.arg == "sample_rate":
            value: object = None
            if isinstance(node.value, ast.Constant):
                value = node.value.value
            elif isinstance(node.value, ast.Name):
                value = constants.get(node.value.id)
            if isinstance(value, int):
                return value
    rates = [v for n, v in constants.items() if "SAMPLE_RATE" in n and isinstance(v, int)]
    return rates[0] if rates else None


def _identity(constants: Mapping[str, object]) -> str | None:
    found = [(n, v) for n, v in constants.items() if "IDENTITY" in n and isinstance(v, str)]
    found.sort(key=lambda item: "AVATAR" not in item[0])
    return found[0][1] if found else None


def _parameters(avatar: ast.ClassDef, variables: Sequence[str]) -> Iterator[Parameter]:
    for node in avatar.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            arguments = node.args
            positional = [*arguments.posonlyargs, *arguments.args][1:]
            first_default = len(positional) - len(arguments.defaults)
            for index, argument in enumerate(positional):
                yield _parameter(argument.arg, index < first_default, variables)
            for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
                yield _parameter(argument.arg, default is None, variables)
            return


def _parameter(name: str, required: bool, variables: Sequence[str]) -> Parameter:
    ending = f"_{name.upper()}"
    return Parameter(name, required, next((v for v in variables if v.endswith(ending)), None))


def _requests(nodes: Sequence[ast.AST], base: str) -> Iterator[Request]:
    for node in nodes:
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = ast.unparse(node.func).rpartition(".")[2].strip("_").lower()
        method = called.partition("_")[0]
        if method in _METHODS:
            for path in _paths(node.args[:1]):
                yield Request(method.upper(), base + path)
        elif called == "request" and len(node.args) > 1:
            verb = node.args[0]
            if isinstance(verb, ast.Constant) and str(verb.value).lower() in _METHODS:
                for path in _paths(node.args[1:2]):
                    yield Request(str(verb.value).upper(), base + path)


def _paths(expressions: Sequence[ast.expr]) -> Iterator[str]:
    for expression in expressions:
        text = ""
        if isinstance(expression, ast.Constant):
            text = str(expression.value)
        elif isinstance(expression, ast.JoinedStr):
            parts = expression.values
            if parts and not isinstance(parts[0], ast.Constant):
                # the base URL
                parts = parts[1:]
            text = "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{session}" for part in parts
            )
        if _PATH.fullmatch(text):
            yield text


def _headers(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Dict):
            for key in map(_string, node.keys):
                if key is not None and _HEADER.fullmatch(key):
                    yield key


def _room(nodes: Sequence[ast.AST]) -> tuple[str, str] | None:
    above: dict[int, str] = {}
    for node in nodes:
        if isinstance(node, ast.Dict):
            for key, value in zip(map(_string, node.keys), node.values, strict=True):
                if key is not None and isinstance(value, ast.Dict):
                    above[id(value)] = f"{above.get(id(node), '')}/{key}"
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
            target = node.targets[0]
            if isinstance(target, ast.Subscript) and (key := _string(target.slice)) is not None:
                above[id(node.value)] = f"/{key}"
    for node in nodes:
        if isinstance(node, ast.Dict):
            keys = [key for key in map(_string, node.keys) if key is not None]
            urls = [key for key in keys if _URL_FIELD.fullmatch(key)]
            tokens = [key for key in keys if _TOKEN_FIELD.fullmatch(key)]
            tokens.sort(key=lambda key: "livekit" not in key.lower())
            if urls and tokens:
                prefix = above.get(id(node), "")
                return f"{prefix}/{urls[0]}", f"{prefix}/{tokens[0]}"
    return None


def _string(node: ast.AST | None) -> str | None:
    """The value of a string literal, or None where the node is something else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None
