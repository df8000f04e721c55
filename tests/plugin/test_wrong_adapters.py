from __future__ import annotations

from collections.abc import Callable
from datetime import date
from types import ModuleType
from typing import Any

import pytest

from conformance.plugin import AdapterContext, AdapterError, Deviation, Manifest, hookimpl
from conformance.plugin.provider import Provider

MANIFEST: dict[str, Any] = {
    "name": "acme",
    "distribution": "livekit-plugins-acme",
    "avatar_session": "livekit.plugins.acme:AvatarSession",
    "exception": "livekit.plugins.acme:AcmeException",
    "transport": "bytestream",
    "hosts": ["api.acme.com"],
}

CONTEXT = AdapterContext("acme", None, "agent", "room", "wss://room.invalid", "key", "secret")


def adapter(*, manifest: Any = MANIFEST, **replaced: Callable[..., Any] | None) -> ModuleType:
    """A sound adapter, but for the hooks given; None leaves one out."""
    module = ModuleType("acme")

    @hookimpl
    def avatar_provider_manifest() -> Any:
        return manifest

    @hookimpl
    def create_avatar(context: AdapterContext) -> Any:
        return object()

    @hookimpl
    def vendor_backend() -> Any:
        return None

    hooks = {
        "avatar_provider_manifest": avatar_provider_manifest,
        "create_avatar": create_avatar,
        "vendor_backend": vendor_backend,
        **replaced,
    }
    for name, function in hooks.items():
        if function is not None:
            setattr(module, name, function)
    return module


def refused(module: object) -> str:
    """The one line with which an adapter is refused."""
    with pytest.raises(AdapterError) as caught:
        Provider(module, label="conformance_adapter.py", origin="conformance_adapter.py")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def without(field: str) -> dict[str, Any]:
    """A manifest that lacks a field."""
    return {name: value for name, value in MANIFEST.items() if name != field}


def test_a_missing_required_hook_is_named_with_its_signature() -> None:
    """An adapter that cannot make an avatar is told which hook to write."""
    assert refused(adapter(create_avatar=None)) == (
        "adapter conformance_adapter.py: create_avatar: the hook is missing; "
        "implement create_avatar(context)"
    )


def test_a_missing_manifest_is_named() -> None:
    """An adapter without a manifest is told so."""
    assert "avatar_provider_manifest: the hook is missing" in refused(
        adapter(avatar_provider_manifest=None)
    )


def test_a_missing_backend_is_named_for_a_plugin_that_talks_to_one() -> None:
    """A byte-stream adapter needs the vendor's API."""
    assert refused(adapter(vendor_backend=None)) == (
        "adapter acme: vendor_backend: the hook is missing; "
        "implement vendor_backend(context), or say transport 'in-process'"
    )


def test_an_in_process_adapter_needs_no_backend() -> None:
    """An in-process provider talks to no API and declares no host."""
    manifest = {**MANIFEST, "transport": "in-process", "hosts": []}

    provider = Provider(adapter(manifest=manifest, vendor_backend=None), label="acme", origin="x")

    assert provider.vendor_backend(CONTEXT) is None


def test_an_unknown_hook_is_refused_with_the_nearest_name() -> None:
    """A misspelt hook never goes unnoticed."""

    @hookimpl
    def vendor_backends() -> None:
        return None

    assert refused(adapter(vendor_backends=vendor_backends)) == (
        "adapter conformance_adapter.py: vendor_backends: there is no such hook; "
        "did you mean vendor_backend?"
    )


def test_an_unknown_hook_like_no_other_gets_the_list() -> None:
    """Where nothing is near, all hooks are named."""

    @hookimpl
    def zzz() -> None:
        return None

    assert "the hooks are: avatar_provider_manifest, create_avatar" in refused(adapter(zzz=zzz))


def test_a_wrong_argument_is_refused_with_the_nearest_name() -> None:
    """A misspelt argument is named with the one that was meant."""

    @hookimpl
    def create_avatar(contxt: AdapterContext) -> Any:
        return object()

    assert refused(adapter(create_avatar=create_avatar)) == (
        "adapter conformance_adapter.py: create_avatar: it has no argument 'contxt'; "
        "did you mean 'context'?"
    )


@pytest.mark.parametrize("mark", ["*", "**"])
def test_arguments_that_take_anything_are_refused(mark: str) -> None:
    """The arguments of a hook are given by name, so a catch-all would stay empty."""
    if mark == "*":

        @hookimpl
        def create_avatar(*given: Any) -> Any:
            return given
    else:

        @hookimpl  # type: ignore[no-redef]
        def create_avatar(**given: Any) -> Any:
            return given

    assert f"it takes {mark}given; name the arguments: context" in refused(
        adapter(create_avatar=create_avatar)
    )


def test_a_hook_without_the_marker_is_refused() -> None:
    """A function that is named like a hook and not marked would never be called."""

    def known_deviations() -> tuple[Deviation, ...]:
        return ()

    assert "known_deviations: it is not marked as a hook; put @hookimpl above it" in refused(
        adapter(known_deviations=known_deviations)
    )


def test_a_class_is_refused() -> None:
    """An entry point that names a class instead of an instance is told so."""

    class Acme:
        pass

    assert "it is the class Acme; name a module or an instance" in refused(Acme)


def test_an_instance_may_be_an_adapter() -> None:
    """Hooks can be methods."""

    class Acme:
        @hookimpl
        def avatar_provider_manifest(self) -> Any:
            return MANIFEST

        @hookimpl
        def create_avatar(self, context: AdapterContext) -> Any:
            return object()

        @hookimpl
        def vendor_backend(self) -> Any:
            return None

    assert Provider(Acme(), label="acme", origin="x").name == "acme"


@pytest.mark.parametrize(
    ("manifest", "line"),
    [
        (without("name"), "field 'name' is missing; add it"),
        (
            {**MANIFEST, "transport": "carrier-pigeon"},
            "field 'transport' is 'carrier-pigeon'; "
            "allowed are: 'bytestream', 'websocket', 'in-process'",
        ),
        ({**MANIFEST, "hosts": []}, "field 'hosts' is empty; it must be: at least one host"),
        (
            {**MANIFEST, "hosts": ["https://api.acme.com/v1"]},
            "field 'hosts[0]' is 'https://api.acme.com/v1'; it must be: a host name without scheme",
        ),
        (
            {**MANIFEST, "avatar_session": "livekit.plugins.acme.AvatarSession"},
            "it must be: an import path, like 'livekit.plugins.acme:AvatarSession'",
        ),
        (
            {**MANIFEST, "credentials": [{"nam": "api_key"}]},
            "field 'credentials[0].name' is missing",
        ),
        (
            {**MANIFEST, "capabilities": {"restart": True}},
            "field 'capabilities.restart' is unknown; did you mean 'restartable'?",
        ),
        (
            {**MANIFEST, "capabilities": {"pause": "yes"}},
            "field 'capabilities.pause' is 'yes'; it must be of type boolean",
        ),
        ({**MANIFEST, "bounds": {"start": 0}}, "field 'bounds.start': 0 is less than or equal"),
        ({**MANIFEST, "colour": "red"}, "field 'colour' is unknown; the fields are: name,"),
        ({**MANIFEST, "sample_rate": "24k"}, "it must be of type integer or null"),
        (None, "it returned None; return a Manifest or a mapping"),
        (["acme"], "it returned a list; return a Manifest or a mapping"),
    ],
)
def test_a_wrong_manifest_names_the_field_and_what_is_allowed(manifest: Any, line: str) -> None:
    """A manifest that the schema refuses is one line with the path of the field."""
    refusal = refused(adapter(manifest=manifest))

    assert refusal.startswith("adapter conformance_adapter.py: avatar_provider_manifest: ")
    assert line in refusal


def test_a_manifest_may_be_the_value_itself() -> None:
    """A typed adapter returns a Manifest."""
    manifest = Manifest.from_json(MANIFEST)

    assert Provider(adapter(manifest=manifest), label="acme", origin="x").manifest == manifest


def test_a_manifest_hook_that_raises_is_one_line_with_its_place() -> None:
    """What the hook raised is told with the line of the adapter."""

    @hookimpl
    def avatar_provider_manifest() -> Any:
        raise RuntimeError("two\nlines")

    module = adapter(avatar_provider_manifest=avatar_provider_manifest)
    module.__file__ = __file__

    refusal = refused(module)

    assert "avatar_provider_manifest: it raised RuntimeError: two lines (line " in refusal


DEVIATION = Deviation(
    requirement="FAULT-02",
    reason="the tail stays bound when the API refuses",
    reference="avatar.py, start()",
    owner="Acme",
    expires=date(2026, 12, 31),
)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"requirement": "fault-2"}, "field 'deviations[0].requirement' is 'fault-2'"),
        ({"reason": "broken"}, "field 'deviations[0].reason'"),
        ({"owner": ""}, "field 'deviations[0].owner' is empty; it must be: who is to mend it"),
        ({"expires": "2026-02-30"}, "field 'deviations[0].expires': day"),
        ({"expires": "soon"}, "it must be: the last day on which it is accepted"),
        ({"host": "newest"}, "field 'deviations[0].host': Invalid specifier: 'newest'"),
        ({"plugin": "~1"}, "field 'deviations[0].plugin': Invalid specifier: '~1'"),
    ],
)
def test_a_wrong_deviation_names_the_field(changed: dict[str, str], line: str) -> None:
    """A deviation that can't be used is refused when the adapter is loaded."""

    @hookimpl
    def known_deviations() -> Any:
        return [{**DEVIATION.to_json(), **changed}]

    assert line in refused(adapter(known_deviations=known_deviations))


@pytest.mark.parametrize(
    ("returned", "line"),
    [
        (None, "it returned None; return a list of Deviation"),
        ("FAULT-02", "it returned a str; return a list of Deviation"),
        (["FAULT-02"], "it listed a str; list Deviation values"),
    ],
)
def test_deviations_of_the_wrong_type_are_refused(returned: Any, line: str) -> None:
    """Only a list of deviations will do, even where there are none."""

    @hookimpl
    def known_deviations() -> Any:
        return returned

    assert line in refused(adapter(known_deviations=known_deviations))
