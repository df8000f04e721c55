"""Writing a first adapter from what was found in a plugin's source."""

from __future__ import annotations

import contextlib
import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from conformance.errors import UsageError
from conformance.resources import templates_dir

from .call_text import api_text
from .findings import Findings, Parameter, find
from .sources import read_package

FILE = "conformance_adapter.py"

_KEY = "api_key"
_SECRETS = ("key", "secret", "token", "password")


@dataclass(frozen=True)
class _Credential:
    name: str
    variable: str
    secret: bool


@dataclass(frozen=True)
class _Argument:
    name: str
    value: str
    question: str = ""


def write_adapter(distribution: str, file: Path, *, force: bool = False) -> Findings:
    """Write a first adapter for an installed plugin to ``file``; returns what was found.

    Raises `UsageError` when the file exists, unless ``force``, and when there is no such plugin.
    """
    if file.is_dir():
        raise UsageError(f"{file} is a directory; give the name of a file")
    if file.exists() and not force:
        raise UsageError(f"{file} exists; give another --output, or --force to replace it")
    if not file.absolute().parent.is_dir():
        raise UsageError(f"{file.parent} does not exist; make it first")
    found = find(read_package(distribution))
    text = adapter_text(found)
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_text(text, "utf-8")
        part.replace(file)
    except OSError as error:
        raise UsageError(f"{file} can't be written: {error.strerror or error}") from None
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
    return found


def adapter_text(found: Findings) -> str:
    """The source of the adapter. Every ``# ?`` in it asks what the plugin's source did not tell."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_dir() / "adapter"),
        variable_start_string="[[",
        variable_end_string="]]",
        block_start_string="[%",
        block_end_string="%]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        undefined=jinja2.StrictUndefined,
        autoescape=False,
    )
    environment.filters["literal"] = _literal
    credentials = list(_credentials(found))
    names = {c.variable: c.name for c in credentials} | {c.name: c.name for c in credentials}
    arguments = list(_arguments(found))
    api = api_text(found.requests, found.hosts, names or {_KEY: _KEY})
    given = {argument.name for argument in arguments}
    others = [each.name for each in found.parameters if each.name not in given]
    lines = [line for call in api.calls for line in call.lines]
    return environment.get_template(f"{FILE}.jinja").render(
        found=found,
        name=canonicalize_name(found.package.rpartition(".")[2]),
        credentials=credentials,
        arguments=arguments,
        imports=_imports(found, arguments),
        others=textwrap.wrap(f"it takes as well: {', '.join(others)}", 90) if others else [],
        calls=list(zip(found.requests, api.calls, strict=True)),
        socket_path=api.socket_path,
        ends_session=any(request.ends_session for request in found.requests),
        key=next((c.name for c in credentials if c.secret), _KEY),
        used={
            name: any(name in line for line in lines)
            for name in ("STRING", "fields(", "RoomAccess(")
        },
    )


def _literal(value: object) -> str:
    return json.dumps(value)


def _credentials(found: Findings) -> Iterator[_Credential]:
    by_variable = {p.variable: p.name for p in found.parameters if p.variable}
    for variable in found.variables:
        if not variable.endswith("_URL"):
            name = by_variable.get(variable, _without_vendor(variable, found))
            yield _Credential(name, variable, any(word in name for word in _SECRETS))


def _without_vendor(variable: str, found: Findings) -> str:
    vendor = found.package.rpartition(".")[2].lower()
    return variable.lower().removeprefix(f"{vendor}_")


def _arguments(found: Findings) -> Iterator[_Argument]:
    names = {parameter.name for parameter in found.parameters}
    for parameter in found.parameters:
        if parameter.variable and not parameter.variable.endswith("_URL"):
            value = f'context.secret("{parameter.name}") or NOT_GIVEN'
            yield _Argument(parameter.name, value)
        elif parameter.required:
            yield _required(parameter)
        elif parameter.one_of:
            others = ", ".join(parameter.one_of[1:])
            yield _Argument(parameter.name, _made_up(parameter.name), f"or one of: {others}")
    if "avatar_participant_identity" in names:
        yield _Argument("avatar_participant_identity", "context.identity or NOT_GIVEN")


def _required(parameter: Parameter) -> _Argument:
    if parameter.annotation in ("str", "NotGivenOr[str]"):
        return _Argument(parameter.name, _made_up(parameter.name))
    if parameter.needs and all(annotation == "str" for _, annotation in parameter.needs):
        inside = ", ".join(f"{name}={_made_up(name)}" for name, _ in parameter.needs)
        return _Argument(parameter.name, f"{parameter.annotation}({inside})")
    kind = f" ({parameter.annotation})" if parameter.annotation else ""
    return _Argument(parameter.name, "NOT_GIVEN", f"it is required{kind}: what does it take")


def _made_up(name: str) -> str:
    """The value of a required string: a credential by its name, else anything."""
    if any(word in name for word in _SECRETS):
        return f'context.secret("{name}")'
    return json.dumps(f"{name.replace('_', '-')}-1")


def _imports(found: Findings, arguments: list[_Argument]) -> list[tuple[str, list[str]]]:
    """What `create_avatar` imports of the plugin, by module."""
    modules = {found.package: {found.avatar}}
    for parameter in found.parameters:
        made = f"{parameter.annotation}("
        if parameter.module and any(each.value.startswith(made) for each in arguments):
            modules.setdefault(parameter.module, set()).add(parameter.annotation)
    return [(module, sorted(names)) for module, names in sorted(modules.items())]
