from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conformance.plugin import Bounds, Capabilities, Credential, Manifest
from conformance.plugin.manifest_schema import COMMAND, FILE, rendered
from conformance.resources import schema, schemas_dir

SMALLEST: dict[str, Any] = {
    "name": "acme",
    "distribution": "livekit-plugins-acme",
    "avatar_session": "livekit.plugins.acme:AvatarSession",
    "exception": "livekit.plugins.acme:AcmeException",
    "transport": "bytestream",
    "hosts": ["api.acme.com"],
}


def accepted(data: Any) -> bool:
    """Whether the manifest schema accepts the data."""
    return bool(Draft202012Validator(schema("manifest")).is_valid(data))


def test_the_schemas_file_is_that_of_the_dataclasses() -> None:
    """schemas/manifest.schema.json is made from the dataclasses, and has to be made again."""
    text = (schemas_dir() / FILE).read_text("utf-8")

    assert text == rendered(), f"{FILE} is out of date; run: {COMMAND}"


@pytest.mark.parametrize("name", ["manifest", "deviations", "requirement"])
def test_each_schema_is_itself_valid(name: str) -> None:
    """What the kit calls a schema is a JSON Schema of draft 2020-12."""
    Draft202012Validator.check_schema(schema(name))


def test_the_smallest_manifest_takes_the_documented_defaults() -> None:
    """What a plain vendor leaves out has a value."""
    manifest = Manifest.from_json(SMALLEST)

    assert accepted(SMALLEST)
    assert (manifest.sample_rate, manifest.channels) == (None, 1)
    assert manifest.bounds == Bounds(60.0, 30.0, 30.0)
    assert manifest.capabilities == Capabilities()


def test_a_full_manifest_survives_json() -> None:
    """What is written to a report is accepted by the schema and reads back the same."""
    manifest = Manifest(
        **{**SMALLEST, "hosts": ("api.acme.com", "ws.acme.com:8443")},
        sample_rate=24000,
        identity="acme-avatar-agent",
        credentials=(Credential("api_key", "ACME_API_KEY"), Credential("avatar", secret=False)),
        bounds=Bounds(start=90.0),
        capabilities=Capabilities(ends_session=True),
    )

    data = json.loads(json.dumps(manifest.to_json()))

    assert accepted(data)
    assert Manifest.from_json(data) == manifest


@pytest.mark.parametrize("field", ["name", "distribution", "avatar_session", "exception"])
def test_what_names_the_plugin_is_required(field: str) -> None:
    """A manifest cannot leave open what it is about."""
    assert not accepted({k: v for k, v in SMALLEST.items() if k != field})


def test_only_an_in_process_provider_may_declare_no_host() -> None:
    """SEC-02 judges by the declared hosts, so that there must be some."""
    assert not accepted({**SMALLEST, "hosts": []})
    assert not accepted({**SMALLEST, "transport": "websocket", "hosts": []})
    assert accepted({**SMALLEST, "transport": "in-process", "hosts": []})


def test_a_bound_cannot_be_so_large_that_it_bounds_nothing() -> None:
    """Nobody waits longer than that; a provider can't declare its way out of being bounded."""
    for name, longest in (("start", 300), ("close", 120), ("playout", 120)):
        assert accepted({**SMALLEST, "bounds": {name: longest}})
        assert not accepted({**SMALLEST, "bounds": {name: longest + 1}})


def test_every_capability_is_off_or_on_in_the_schema() -> None:
    """The capabilities that the schema knows are those that the suite reads."""
    described = schema("manifest")["properties"]["capabilities"]["properties"]

    assert list(described) == [field.name for field in fields(Capabilities)]
    assert {entry["type"] for entry in described.values()} == {"boolean"}


@pytest.mark.parametrize(
    ("name", "environment", "secret"),
    [
        ("api_key", None, True),
        ("apikey", None, True),
        ("account", "ACME_API_TOKEN", True),
        ("password", None, True),
        ("avatar_id", "ACME_AVATAR_ID", False),
        ("keyboard", None, False),
    ],
)
def test_what_is_called_a_key_is_a_secret(name: str, environment: str | None, secret: bool) -> None:
    """An adapter cannot declare a key away."""
    assert Credential(name, environment, secret=False).is_secret is secret
    assert Credential(name, environment).is_secret
