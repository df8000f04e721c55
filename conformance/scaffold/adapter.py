"""Writing a first adapter from what was found in a plugin's source."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from conformance.plugin.errors import UsageError
from conformance.resources import templates_dir

from .findings import Findings, Parameter, Request, find
from .sources import read_package

FILE = "conformance_adapter.py"

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


@dataclass(frozen=True)
class _NamedRequest:
    name: str
    method: str
    path: str


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
    finally:
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
    return environment.get_template(f"{FILE}.jinja").render(
        found=found,
        name=canonicalize_name(found.package.rpartition(".")[2]),
        credentials=credentials,
        arguments=list(_arguments(found)),
        requests=list(_named(found.requests)),
        key=next((c.name for c in credentials if c.secret), "api_key"),
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
    if "avatar_participant_identity" in names:
        yield _Argument("avatar_participant_identity", "context.identity or NOT_GIVEN")


def _required(parameter: Parameter) -> _Argument:
    return _Argument(parameter.name, "NOT_GIVEN", "it is required: what does it take")


def _named(requests: tuple[Request, ...]) -> Iterator[_NamedRequest]:
    if not requests:
        yield _NamedRequest("create session", "POST", "/v1/sessions")
    taken: set[str] = set()
    for request in requests:
        last = [part for part in request.path.split("/") if part and "{" not in part]
        name = f"{request.method.lower()} {last[-1] if last else 'root'}"
        while name in taken:
            name += " again"
        taken.add(name)
        yield _NamedRequest(name, request.method, request.path)
