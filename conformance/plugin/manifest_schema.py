"""The manifest's JSON Schema, made from its dataclasses.

``python -m conformance.plugin.manifest_schema`` writes it to ``schemas/manifest.schema.json``.
"""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Mapping
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from conformance.resources import schemas_dir

from .manifest import Bounds, Capabilities, Credential, Manifest

COMMAND = "python -m conformance.plugin.manifest_schema"
FILE = "manifest.schema.json"

_IMPORT_PATH = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_.]*$"
_SECONDS: Mapping[str, Any] = {"exclusiveMinimum": 0, "maximum": 120}

_WORDS: Mapping[type, Mapping[str, Mapping[str, Any]]] = {
    Manifest: {
        "name": {
            "description": "a short name: lower-case letters, digits and hyphens",
            "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
        },
        "distribution": {
            "description": "the name of the plugin's distribution, as pip installs it",
            "pattern": "^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
        },
        "avatar_session": {
            "description": "an import path, like 'livekit.plugins.acme:AvatarSession'",
            "pattern": _IMPORT_PATH,
        },
        "exception": {
            "description": "an import path, like 'livekit.plugins.acme:AcmeException'",
            "pattern": _IMPORT_PATH,
        },
        "transport": {"description": "how the audio leaves the agent"},
        "hosts": {
            "description": "the host names that the plugin may contact",
            "items": {
                "type": "string",
                "description": "a host name without scheme or path, like 'api.acme.com'",
                "pattern": r"^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$",
            },
            "uniqueItems": True,
        },
        "sample_rate": {
            "description": "of the audio that reaches the worker, in Hz; null takes any rate",
            "minimum": 8000,
            "maximum": 192000,
        },
        "channels": {"description": "of the audio that reaches the worker", "minimum": 1},
        "identity": {
            "description": "the plugin's own default for the avatar's participant; null: none",
            "minLength": 1,
        },
        "credentials": {"description": "the secrets and settings that the plugin needs"},
        "bounds": {"description": "how long the provider may take, in seconds"},
        "capabilities": {"description": "what the provider claims it can do"},
    },
    Credential: {
        "name": {
            "description": "the name by which the adapter asks the context for it",
            "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
        },
        "environment": {
            "description": "the environment variable that the plugin reads; null: none",
            "pattern": "^[A-Za-z_][A-Za-z0-9_]*$",
        },
        "secret": {"description": "whether it must stay secret"},
    },
    Bounds: {
        "start": {"description": "for start(), in seconds", **_SECONDS, "maximum": 300},
        "close": {"description": "for aclose(), in seconds", **_SECONDS},
        "playout": {"description": "for a segment to finish late, in seconds", **_SECONDS},
    },
    Capabilities: {
        "ends_session": {"description": "aclose() ends the vendor's remote session"},
        "restartable": {"description": "an instance can be started again after aclose()"},
        "playback_started": {"description": "playback_started comes from the avatar"},
        "pause": {"description": "the tail can pause and resume"},
        "joins_room": {"description": "the avatar is a participant of its own"},
        "real_time": {"description": "its checks are to be played in real time"},
    },
}

_TYPES: Mapping[Any, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}


def manifest_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what `Manifest.from_json` takes."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:avatar-conformance:manifest",
        "title": "Manifest of an avatar provider",
        **_object(Manifest),
        "if": {
            "required": ["transport"],
            "properties": {"transport": {"const": "in-process"}},
        },
        "else": {
            "properties": {
                "hosts": {
                    "description": "at least one host, unless the transport is 'in-process'",
                    "minItems": 1,
                }
            }
        },
    }


def rendered() -> str:
    """The text of the schema's file."""
    return json.dumps(manifest_schema(), indent=2) + "\n"


def _object(cls: type) -> dict[str, Any]:
    hints = get_type_hints(cls)
    properties: dict[str, Any] = {}
    required: list[str] = []
    for field in dataclasses.fields(cls):
        properties[field.name] = {**_of(hints[field.name]), **_WORDS[cls][field.name]}
        if field.default is not dataclasses.MISSING:
            default = field.default
            properties[field.name]["default"] = list(default) if default == () else default
        elif field.default_factory is dataclasses.MISSING:
            required.append(field.name)
    described: dict[str, Any] = {"type": "object", "properties": properties}
    if required:
        described["required"] = required
    described["additionalProperties"] = False
    return described


def _of(hint: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _object(hint)
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return {"enum": list(args)}
    if origin is tuple:
        return {"type": "array", "items": _of(args[0])}
    if origin in (Union, types.UnionType):
        return {"type": [_TYPES[arg] for arg in args]}
    return {"type": _TYPES[hint]}


if __name__ == "__main__":
    (schemas_dir() / FILE).write_text(rendered(), "utf-8")
