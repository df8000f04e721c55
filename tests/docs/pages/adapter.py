"""docs/adapter.md: every hook of an adapter, and every value that one is made of."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator

import conformance.plugin as plugin
from conformance.plugin import spec, worker
from conformance.plugin.player import Player, ReceivedSegment

from .markdown import MADE_BY, docstring
from .reference import of_class, of_function
from .schemas import SCHEMAS

_API = (
    "VendorAPI",
    "Call",
    "RoomAccess",
    "MintedAccess",
    "Socket",
    "SocketSession",
    "DataMessage",
    "RpcCall",
    "ApiRequest",
)
_ERRORS = ("AdapterError", "UsageError")


def render() -> str:
    """The page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield MADE_BY
    yield "# Adapter reference"
    yield ""
    yield docstring(plugin)
    yield ""
    yield "## The hooks"
    yield ""
    required = ", ".join(f"`{name}`" for name in spec.REQUIRED)
    yield f"Needed are {required}; the others have defaults. A hook may leave arguments out."
    yield ""
    for name, hook in vars(spec).items():
        if inspect.isfunction(hook) and hasattr(hook, f"{spec.PROJECT}_spec"):
            assert name == hook.__name__
            yield from of_function(hook)
    yield "## The context"
    yield ""
    yield from of_class(plugin.AdapterContext)
    yield "## The manifest"
    yield ""
    yield "[schemas](schemas.md) has the same as JSON Schema."
    yield ""
    fields = json.loads((SCHEMAS / "manifest.schema.json").read_text("utf-8"))["properties"]
    parts = {
        "Manifest": fields,
        "Credential": fields["credentials"]["items"]["properties"],
        "Bounds": fields["bounds"]["properties"],
        "Capabilities": fields["capabilities"]["properties"],
    }
    for name, part in parts.items():
        said = {field: about.get("description", "") for field, about in part.items()}
        yield from of_class(getattr(plugin, name), said=said)
    yield "## The vendor's API"
    yield ""
    for name in _API:
        yield from of_class(getattr(plugin, name))
    yield from of_function(plugin.fields)
    yield from of_function(plugin.session_api)
    yield "## The worker"
    yield ""
    for thing in (worker.WorkerSpec, worker.Behaviour, worker.Worker, worker.ByteStreamWorker):
        yield from of_class(thing)
    for thing in (Player, ReceivedSegment):
        yield from of_class(thing)
    yield "## Known deviations"
    yield ""
    deviations = json.loads((SCHEMAS / "deviations.schema.json").read_text("utf-8"))
    fields = deviations["$defs"]["deviation"]["properties"]
    said = {field: about.get("description", "") for field, about in fields.items()}
    yield from of_class(plugin.Deviation, said=said)
    yield "## Errors"
    yield ""
    for name in _ERRORS:
        yield from of_class(getattr(plugin, name))
