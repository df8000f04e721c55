"""Writing a plugin's first adapter from what was recorded of the plugin."""

from __future__ import annotations

import contextlib
import json
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from conformance.errors import UsageError
from conformance.plugin.manifest import Transport
from conformance.resources import templates_dir

from .api_text import ApiText
from .body_schema import python
from .layout import laid_out
from .plugin_class import PluginClass, find_plugin, import_path
from .recorder import Findings, explore

FILE = "conformance_adapter.py"
MARK = "# ?"
_WIDTH = 90
_ALWAYS = {"AdapterContext", "VendorAPI", "hookimpl"}
_NAMES = ("Call(", "DataMessage(", "RoomAccess(", "STRING", "Socket(", "fields(")


@dataclass(frozen=True)
class Question:
    """A line of an adapter that asks what no run has shown."""

    line: int
    text: str


@dataclass(frozen=True)
class Written:
    """An adapter that was written: for which plugin, whether a start worked, what is open."""

    plugin: PluginClass
    found: Findings
    questions: tuple[Question, ...]


def write_adapter(distribution: str, file: Path, *, force: bool = False) -> Written:
    """Record an installed plugin and write its adapter to ``file``.

    Raises `UsageError` when the file exists, unless ``force``, and when there is no such plugin.
    """
    if file.is_dir():
        raise UsageError(f"{file} is a directory; give the name of a file")
    if file.exists() and not force:
        raise UsageError(f"{file} exists; give another --output, or --force to replace it")
    if not file.absolute().parent.is_dir():
        raise UsageError(f"{file.parent} does not exist; make it first")
    found = explore(find_plugin(distribution))
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
    return Written(found.plugin, found, tuple(questions(text)))


def questions(text: str) -> Iterator[Question]:
    """The lines of an adapter's source that ask something."""
    for number, line in enumerate(text.splitlines(), 1):
        _, mark, question = line.partition(MARK)
        if mark:
            yield Question(number, question.strip())


def adapter_text(found: Findings) -> str:
    """The source of the adapter. Every ``# ?`` in it asks what no run has shown."""
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
    environment.filters["python"] = python
    environment.filters["laid_out"] = laid_out
    api = ApiText(found)
    endpoints = api.endpoints() if found.base.calls else []
    source = "\n".join(f"{e.kind}({' '.join(e.lines)}" for e in endpoints)
    sockets = api.sockets()
    names = _ALWAYS | {name.strip("(") for name in _NAMES if name in source}
    if sockets:
        names.add("SocketSession")
    draft, base = found.draft, found.base
    return environment.get_template(f"{FILE}.jinja").render(
        plugin=found.plugin,
        works=found.works,
        name=canonicalize_name(found.plugin.package.rpartition(".")[2]),
        names=sorted(names, key=lambda name: (not name.isupper(), not name[0].isupper(), name)),
        exception=found.exception,
        transport=_transport(found),
        hosts=list(base.hosts) or ["api.vendor.example"],
        rate=None if found.any_rate else base.heard_rate,
        identity=found.identity,
        credentials=list(_credentials(found)),
        capabilities=_capabilities(found, api),
        imports=_imports(found),
        untried=_untried(found),
        identity_parameter=draft.identity,
        conn_options=draft.options == "conn_options",
        class_name=found.plugin.type.__name__,
        arguments=draft.arguments,
        needs_context=bool(endpoints) and api.needs_context,
        endpoints=endpoints,
        sockets=sockets,
        messages=list(_messages(sockets)),
    )


def _transport(found: Findings) -> Transport:
    base = found.base
    if not base.works or base.heard_rate is not None:
        return "bytestream"
    return "websocket" if any(call.is_socket for call in base.calls) else "in-process"


def _credentials(found: Findings) -> Iterator[Mapping[str, Any]]:
    in_headers = " ".join(v for call in found.base.calls for v in call.headers.values())
    for credential in found.draft.credentials:
        named = any(w in credential["name"] for w in ("key", "secret", "token", "password"))
        shown = found.base.secrets.get(credential["name"], "?") in in_headers
        yield credential if named or shown else {**credential, "secret": False}


def _capabilities(found: Findings, api: ApiText) -> dict[str, bool]:
    claims = {
        "ends_session": bool(found.base.calls) and api.ends_session,
        "restartable": found.works and found.endings["restart"].restarted,
        "playback_started": found.base.started_by_avatar,
    }
    if _transport(found) == "in-process":
        return {**claims, "joins_room": False}
    return claims


def _imports(found: Findings) -> list[tuple[str, list[str]]]:
    modules: dict[str, set[str]] = {}
    classes = [cls for argument in found.draft.arguments for cls in argument.imports]
    for cls in (found.plugin.type, *classes):
        module, _, name = import_path(cls).partition(":")
        modules.setdefault(module, set()).add(name)
    return [(module, sorted(names)) for module, names in sorted(modules.items())]


def _untried(found: Findings) -> list[str]:
    names = ", ".join(found.untried)
    return (
        textwrap.wrap(f"it takes as well, and was not run with: {names}", _WIDTH) if names else []
    )


def _messages(sockets: list[Any]) -> Iterator[str]:
    for call in sockets:
        for message in call.messages[:6]:
            kind = f"{len(message)} bytes" if isinstance(message, bytes) else json.dumps(message)
            yield f"it sent {textwrap.shorten(kind, 80)}"


__all__ = ["FILE", "Question", "Written", "adapter_text", "questions", "write_adapter"]
