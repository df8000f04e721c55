from __future__ import annotations

import ast
import io
import tokenize
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conformance.loopback.stage import LoopbackRunner
from conformance.plugin import AdapterContext, Call, VendorAPI, hookimpl
from conformance.plugin.discovery import bundled_names
from conformance.plugin.provider import Provider
from conformance.stage.interface import Stage
from conformance.suite.scene.scene import Scene, open_scene

VENDORS = (
    "anam",
    "avatario",
    "avatartalk",
    "bey",
    "bithuman",
    "did",
    "keyframe",
    "lemonslice",
    "liveavatar",
    "runway",
    "simli",
    "tavus",
    "trugen",
)
PLAIN = ("anam", "avatario", "bey", "bithuman", "did", "lemonslice", "tavus", "trugen")


def provider_of(module: str) -> Provider:
    """The provider of a bundled module."""
    adapter = import_module(f"vendor_adapters.{module}")
    return Provider(adapter, label=module, origin="bundled", source="bundled")


def installed(module: str) -> Provider:
    """The same, or skip where its plugin is not installed."""
    provider = provider_of(module)
    if provider.installed_version is None:
        pytest.skip(f"{provider.manifest.distribution} is not installed")
    return provider


def code_lines(path: Path) -> int:
    """How many lines of a module are code: no blank line, comment or docstring."""
    source = path.read_text("utf-8")
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        line
        for node in ast.walk(ast.parse(source))
        if isinstance(node, documented) and ast.get_docstring(node) is not None
        for line in range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1)
    }
    blank = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    code = {
        line
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type not in (*blank, tokenize.ENDMARKER)
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(code - docstrings)


def play(provider: Provider, scenario: Any) -> Any:
    """What a scenario returns, played on the loopback stage."""

    async def on_stage(stage: Stage) -> Any:
        async with open_scene(stage, provider) as scene:
            return await scenario(scene)

    return LoopbackRunner().run(on_stage)


def test_the_bundled_adapters_are_those_of_the_thirteen_plugins() -> None:
    """There is one for each plugin, two for bitHuman's modes, and one for the host's own avatar."""
    providers = [provider_of(name) for name in bundled_names()]

    assert {p.manifest.distribution for p in providers} == {
        "livekit-agents",
        *(f"livekit-plugins-{vendor}" for vendor in VENDORS),
    }
    assert sorted(p.name for p in providers) == sorted((*VENDORS, "bithuman-local", "inference"))


@pytest.mark.parametrize("module", PLAIN)
def test_a_plain_vendors_adapter_is_short(module: str) -> None:
    """What a plain vendor needs fits in less than 40 lines of code."""
    file = import_module(f"vendor_adapters.{module}").__file__
    assert file is not None

    assert code_lines(Path(file)) < 40


@pytest.mark.parametrize("module", bundled_names())
def test_an_avatar_hears_the_very_samples_that_were_said(module: str) -> None:
    """Each published plugin starts, joins and is heard, and its vendor objects to nothing."""

    async def speak(scene: Scene) -> None:
        await scene.start_session()
        avatar = await scene.started()
        speech = scene.say(1.0)
        await scene.spoken(speech)

        assert avatar.pcm == speech.pcm
        assert list(avatar.backend.request_violations) == []

    play(installed(module), speak)


@pytest.mark.parametrize("module", VENDORS)
def test_a_field_that_the_vendor_does_not_know_is_named(module: str) -> None:
    """A request with a field too many is objected to, with the field's name."""
    provider = installed(module)

    for name, changed in _without_each_field(provider):
        request_violations = play(changed, _objections)
        assert any(repr(name) in o or name in o for o in request_violations), (
            name,
            request_violations,
        )


@pytest.mark.parametrize("module", VENDORS)
def test_a_field_that_the_plugin_does_not_send_is_named(module: str) -> None:
    """A request with a field too few is objected to, with the field's name."""
    provider = installed(module)

    request_violations = play(_wanting(provider, "colour_of_hair"), _objections)

    assert any("colour_of_hair" in objection for objection in request_violations), (
        request_violations
    )


async def _objections(scene: Scene) -> list[str]:
    await scene.start_session()
    avatar = await scene.create()
    with suppress(Exception):  # what a plugin does when its vendor refuses is judged elsewhere
        await scene.start(avatar, ready=False)
    return list(avatar.backend.request_violations)


def _without_each_field(provider: Provider) -> list[tuple[str, Provider]]:
    calls = [c for c in _api(provider).calls if c.when == "start"]
    names = [(call, name) for call in calls if call.body for name in call.body["properties"]]
    return [(name, _with(provider, call, _dropped(call.body, name))) for call, name in names]


def _wanting(provider: Provider, name: str) -> Provider:
    call = next(c for c in _api(provider).calls if c.when == "start" and c.body)
    assert call.body is not None
    body = {**call.body, "required": [*call.body["required"], name]}
    return _with(provider, call, {**body, "properties": {**body["properties"], name: {}}})


def _dropped(body: Any, name: str) -> Any:
    properties = {key: value for key, value in body["properties"].items() if key != name}
    return {**body, "properties": properties, "required": list(properties)}


def _with(provider: Provider, call: Call, body: Any) -> Provider:
    changed = [replace(e, body=body) if e == call else e for e in _api(provider).endpoints]
    adapter = import_module(f"vendor_adapters.{provider.name}")

    @hookimpl
    def vendor_backend() -> VendorAPI:
        return VendorAPI(*changed)

    module = ModuleType(adapter.__name__)
    vars(module).update(vars(adapter), vendor_backend=vendor_backend)
    return Provider(module, label=provider.name, origin="a test")


def _api(provider: Provider) -> VendorAPI:
    secrets = {c.name: "secret" for c in provider.manifest.credentials}
    api = provider.vendor_backend(
        AdapterContext(provider.name, None, "agent", "conformance", "", "", "", secrets)
    )
    assert api is not None
    return api
