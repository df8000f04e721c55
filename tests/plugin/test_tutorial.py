from __future__ import annotations

import inspect
import sys
import textwrap
from types import ModuleType

import conformance.plugin
from conformance.plugin import AdapterContext
from conformance.plugin.provider import Provider


def tutorial_source() -> str:
    """The adapter in the package's docstring, as an author would copy it."""
    docstring = inspect.getdoc(conformance.plugin) or ""
    block = docstring.split("::\n", 1)[1].split("\n**Where", 1)[0]
    return textwrap.dedent(block).strip() + "\n"


def tutorial_adapter() -> ModuleType:
    """That adapter as a module."""
    module = ModuleType("conformance_adapter")
    exec(compile(tutorial_source(), "conformance_adapter.py", "exec"), module.__dict__)
    return module


def context(**secrets: str) -> AdapterContext:
    """A context for the tutorial's provider."""
    return AdapterContext(
        provider="acme",
        identity="acme-2",
        agent_identity="agent",
        room_name="room",
        livekit_url="wss://room.invalid",
        livekit_api_key="key",
        livekit_api_secret="secret",
        secrets=secrets,
    )


def test_the_tutorials_adapter_is_accepted_as_it_stands() -> None:
    """Copying the adapter out of the docstring gives a provider without an error."""
    provider = Provider(tutorial_adapter(), label="acme", origin="the tutorial")

    assert provider.name == "acme"
    assert provider.manifest.hosts == ("api.acme.com",)


def test_the_tutorials_adapter_is_under_40_lines() -> None:
    """A whole adapter for a plain vendor fits in less than 40 lines."""
    assert len(tutorial_source().splitlines()) < 40


def test_the_tutorials_adapter_describes_its_backend() -> None:
    """Its vendor API has the one call, with the place of the room's token."""
    provider = Provider(tutorial_adapter(), label="acme", origin="the tutorial")

    api = provider.vendor_backend(context(api_key="canary"))

    assert api is not None
    assert [call.name for call in api.calls] == ["create session"]
    assert api.calls[0].rooms[0].token == "/token"


def test_the_tutorials_adapter_constructs_with_the_canary() -> None:
    """Its avatar gets the identity and the canary key, and None for a withheld key."""
    made: list[dict[str, object]] = []
    plugin = ModuleType("livekit.plugins.acme")

    class AvatarSession:
        def __init__(self, **given: object) -> None:
            made.append(given)

    plugin.AvatarSession = AvatarSession  # type: ignore[attr-defined]
    before = {name: sys.modules.get(name) for name in ("livekit.plugins.acme",)}
    sys.modules["livekit.plugins.acme"] = plugin
    try:
        provider = Provider(tutorial_adapter(), label="acme", origin="the tutorial")
        provider.create_avatar(context(api_key="canary"))
        provider.create_avatar(context())
    finally:
        for name, module in before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module

    assert made == [
        {"api_key": "canary", "avatar_participant_identity": "acme-2"},
        {"api_key": None, "avatar_participant_identity": "acme-2"},
    ]
