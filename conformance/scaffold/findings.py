"""What the source of an avatar plugin tells of it, for a first adapter."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urlsplit

from conformance.plugin.manifest import Transport

from .program import Program, string
from .sources import Package, Source
from .vendor_calls import Request, requests

_HOST_CONSTRUCTS: Mapping[str, Transport] = {
    "DataStreamAudioOutput": "bytestream",
    "ws_connect": "websocket",
    "AvatarRunner": "in-process",
}
_URL = re.compile(r"(https|wss)://[^\s/]+(/\S*)?")
_DOCUMENTATION = ("docs.", "www.", "github.com", "apache.org", "livekit.io")


@dataclass(frozen=True)
class Parameter:
    """A parameter of ``AvatarSession.__init__``; ``variable`` is the environment's name for it."""

    name: str
    required: bool
    variable: str | None
    annotation: str = ""
    needs: tuple[tuple[str, str], ...] = ()
    """For a parameter of the plugin's own class: what that takes, each with its annotation."""
    module: str = ""
    """Where that class is."""
    one_of: tuple[str, ...] = ()
    """The parameters of which one has to be given, this one being the first."""


@dataclass(frozen=True)
class Findings:
    """What was found; what was not is None or empty."""

    package: str
    distribution: str
    version: str
    avatar: str
    exception: str | None
    transport: Transport | None
    in_process_too: bool
    """Whether its source has a renderer inside the process beside another transport."""
    hosts: tuple[str, ...]
    sample_rate: int | None
    any_sample_rate: bool
    """Whether the host's own output is bound without a rate, and so takes any."""
    says_started: bool | None
    """Whether playback_started comes from the avatar."""
    identity: str | None
    parameters: tuple[Parameter, ...]
    variables: tuple[str, ...]
    requests: tuple[Request, ...]


def find(package: Package) -> Findings:
    """Look through a plugin's source."""
    program = Program(package)
    nodes = [node for source in package.sources for node in ast.walk(source.tree)]
    ways = _transports(nodes)
    constants = {name: node.value for (_, name), node in program.constants.items()}
    variables = tuple(dict.fromkeys(_variables(program, nodes)))
    urls = _urls(nodes)
    base = urls[0].path.rstrip("/") if len(urls) == 1 and urls[0].scheme == "https" else ""
    found = requests(program, base)
    contacted = [request.host for request in found] + [url.hostname for url in urls]
    return Findings(
        package=package.name,
        distribution=package.distribution,
        version=package.version,
        avatar=package.avatar.name,
        exception=_exception(package),
        transport=ways[0] if ways else None,
        in_process_too="in-process" in ways[1:],
        hosts=tuple(dict.fromkeys(host for host in contacted if host)),
        sample_rate=_sample_rate(nodes, constants),
        any_sample_rate=_outputs(nodes) != [] and not _told(nodes, "sample_rate"),
        says_started=_told(nodes, "wait_playback_start") if _outputs(nodes) else None,
        identity=_identity(constants),
        parameters=tuple(
            _with_class(package, each)
            for each in _of_which_one(nodes, _parameters(package.avatar, nodes, variables))
        ),
        variables=variables,
        requests=found,
    )


def _variables(program: Program, nodes: Sequence[ast.AST]) -> Iterator[str]:
    """The variables that are read, also by a function of the plugin that is given their names."""
    readers = {
        function.name
        for function in program.functions
        for call in function.calls()
        if _reads_environment(call)
        and isinstance(call.args[0], ast.Name)
        and call.args[0].id in function.annotations()
    }
    for node in nodes:
        names: Sequence[ast.expr] = ()
        if isinstance(node, ast.Call) and _reads_environment(node):
            names = node.args[:1]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in readers:
            names = [*node.args, *(keyword.value for keyword in node.keywords)]
        elif isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
            names = [node.slice]
        for value in map(string, names):
            if value and value.isupper() and not value.startswith("LIVEKIT_"):
                yield value


def _reads_environment(call: ast.Call) -> bool:
    return bool(call.args) and ast.unparse(call.func).endswith(("getenv", "environ.get"))


def _exception(package: Package) -> str | None:
    """The one that the avatar itself raises, else the first that there is."""
    raised = {
        ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)
        for node in ast.walk(package.avatar)
        if isinstance(node, ast.Raise) and node.exc is not None
    }
    found = [
        (node.name not in raised, f"{_shortest(package, source, node.name)}:{node.name}")
        for source in package.sources
        for node in source.tree.body
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).endswith(("Exception", "Error")) for base in node.bases)
    ]
    return min(found, key=lambda each: each[0])[1] if found else None


def _transports(nodes: Sequence[ast.AST]) -> list[Transport]:
    used = {
        name
        for node in nodes
        if isinstance(node, (ast.Call, ast.ClassDef))
        for name in _HOST_CONSTRUCTS
        if name in ast.unparse(node.func if isinstance(node, ast.Call) else node).split("\n")[0]
    }
    return [way for construct, way in _HOST_CONSTRUCTS.items() if construct in used]


def _urls(nodes: Sequence[ast.AST]) -> tuple[SplitResult, ...]:
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    urls: dict[str, SplitResult] = {}
    for node in nodes:
        value = string(node)
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


def _outputs(nodes: Sequence[ast.AST]) -> list[ast.Call]:
    """Where the host's own byte stream output is made."""
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    return [call for call in calls if ast.unparse(call.func).endswith("DataStreamAudioOutput")]


def _told(nodes: Sequence[ast.AST], argument: str) -> bool:
    """Whether such an output is given an argument, and not False."""
    return any(
        keyword.arg in (argument, None) and ast.unparse(keyword.value) != "False"
        for call in _outputs(nodes)
        for keyword in call.keywords
    )


def _identity(constants: Mapping[str, object]) -> str | None:
    found = [(n, v) for n, v in constants.items() if "IDENTITY" in n and isinstance(v, str)]
    found.sort(key=lambda item: "AVATAR" not in item[0])
    return found[0][1] if found else None


def _parameters(
    avatar: ast.ClassDef, nodes: Sequence[ast.AST], variables: Sequence[str]
) -> Iterator[Parameter]:
    beside = dict(_beside(nodes, variables))
    for node in avatar.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            arguments = node.args
            positional = [*arguments.posonlyargs, *arguments.args][1:]
            first_default = len(positional) - len(arguments.defaults)
            pairs = [(each, index < first_default) for index, each in enumerate(positional)]
            pairs += [
                (each, default is None)
                for each, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
            ]
            for argument, required in pairs:
                name = argument.arg
                named = (v for v in variables if v.endswith(f"_{name.upper()}"))
                annotation = ast.unparse(argument.annotation) if argument.annotation else ""
                variable = beside.get(name) or next(named, None)
                yield Parameter(name, required, variable, annotation)
            return


def _beside(nodes: Sequence[ast.AST], variables: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The variables that stand in for a name: ``api_key or os.getenv("ACME_SECRET")``."""
    for node in nodes:
        parts: Sequence[ast.AST] = node.args if isinstance(node, ast.Call) else ()
        if isinstance(node, (ast.BoolOp, ast.IfExp)):
            parts = list(ast.walk(node))
        names = [each.id for each in parts if isinstance(each, ast.Name)]
        read = [v for v in map(string, parts) if v in variables]
        if names and len(read) == 1 and read[0] is not None:
            yield names[0], read[0]


def _of_which_one(nodes: Sequence[ast.AST], parameters: Iterator[Parameter]) -> Iterator[Parameter]:
    """The parameters, with the groups of which the plugin wants one, as it says when it raises."""
    found = list(parameters)
    optional = {each.name for each in found if not (each.required or each.variable)}
    groups: dict[str, tuple[str, ...]] = {}
    for node in nodes:
        if isinstance(node, ast.Raise) and node.exc is not None:
            said = " ".join(filter(None, map(string, ast.walk(node.exc))))
            group = [word for word in re.findall(r"\w+", said) if word in optional]
            if len(set(group)) > 1 and re.search(r"\b(one of|either)\b", said, re.IGNORECASE):
                first = next((name for name in group if name.endswith("_id")), group[0])
                groups.setdefault(first, tuple(dict.fromkeys([first, *group])))
    for each in found:
        yield replace(each, one_of=groups.get(each.name, ()))


def _with_class(package: Package, parameter: Parameter) -> Parameter:
    """The parameter with what is needed to make one, where it is required and of a plain class."""
    for source in package.sources:
        for node in source.tree.body:
            if isinstance(node, ast.ClassDef) and node.name == parameter.annotation:
                needs = tuple(
                    (field.target.id, ast.unparse(field.annotation))
                    for field in node.body
                    if isinstance(field, ast.AnnAssign)
                    and isinstance(field.target, ast.Name)
                    and field.value is None
                )
                module = _shortest(package, source, node.name)
                return replace(parameter, needs=needs, module=module)
    return parameter


def _shortest(package: Package, source: Source, name: str) -> str:
    """The module that a class is imported from: the package itself, where that has it."""
    for other in package.sources:
        if other.module in (package.name, f"{package.name}.__init__"):
            imports = [node for node in other.tree.body if isinstance(node, ast.ImportFrom)]
            if any(alias.name == name for node in imports for alias in node.names):
                return package.name
    return source.module.removesuffix(".__init__")
