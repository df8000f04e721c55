from __future__ import annotations

from collections.abc import Callable
from datetime import date
from json import JSONDecodeError
from types import ModuleType
from typing import Any

import pytest

from conformance.plugin import (
    AdapterContext,
    AdapterError,
    ByteStreamWorker,
    Call,
    Deviation,
    RoomAccess,
    VendorAPI,
    hookimpl,
    session_api,
)
from conformance.plugin.provider import Provider

MANIFEST = {
    "name": "acme",
    "distribution": "avatar-conformance",
    "avatar_session": "acme:AvatarSession",
    "exception": "acme:AcmeException",
    "transport": "bytestream",
    "hosts": ("api.acme.com",),
}
CONTEXT = AdapterContext(
    "acme", "acme-1", "agent", "room", "wss://room.invalid", "the-key", "the-secret"
)
API = session_api("/v1/sessions", room=RoomAccess("/url", "/token"))


class Avatar:
    """Records how it is started and closed."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    async def start(self, *args: Any, **kwargs: Any) -> None:
        self.calls.append(("start", args, kwargs))

    async def aclose(self) -> None:
        self.calls.append(("aclose", (), {}))


def provider(**replaced: Callable[..., Any]) -> Provider:
    """A provider whose adapter has the hooks given."""
    module = ModuleType("acme")

    @hookimpl
    def avatar_provider_manifest() -> Any:
        return MANIFEST

    @hookimpl
    def create_avatar(context: AdapterContext) -> Any:
        return Avatar()

    @hookimpl
    def vendor_backend() -> VendorAPI:
        return API

    hooks = {
        "avatar_provider_manifest": avatar_provider_manifest,
        "create_avatar": create_avatar,
        "vendor_backend": vendor_backend,
        **replaced,
    }
    for name, function in hooks.items():
        setattr(module, name, function)
    return Provider(module, label="acme", origin="a test")


@pytest.mark.asyncio
async def test_by_default_the_avatar_is_started_like_in_the_plugins_examples() -> None:
    """Binding awaits start() with the room and the LiveKit credentials by keyword."""
    avatar = Avatar()
    session: Any = object()
    room: Any = object()

    await provider().bind(avatar, session, room, CONTEXT)

    assert avatar.calls == [
        (
            "start",
            (session,),
            {
                "room": room,
                "livekit_url": "wss://room.invalid",
                "livekit_api_key": "the-key",
                "livekit_api_secret": "the-secret",
            },
        )
    ]


@pytest.mark.asyncio
async def test_what_the_plugins_start_returns_is_the_plugins_affair() -> None:
    """LemonSlice's returns the id of its session."""
    unused: Any = object()

    class Answering(Avatar):
        async def start(self, *args: Any, **kwargs: Any) -> str:  # type: ignore[override]
            return "session-1"

    await provider().bind(Answering(), unused, unused, CONTEXT)


@pytest.mark.asyncio
async def test_by_default_the_avatar_is_closed() -> None:
    """Unbinding awaits aclose()."""
    avatar = Avatar()
    session: Any = object()

    await provider().unbind(avatar, session, CONTEXT)

    assert avatar.calls == [("aclose", (), {})]


@pytest.mark.asyncio
async def test_an_adapters_own_bind_takes_the_place_of_the_default() -> None:
    """Where the adapter binds, the default does not bind too."""
    avatar = Avatar()
    unused: Any = object()

    @hookimpl
    async def bind_audio_endpoint(avatar: Avatar, context: AdapterContext) -> None:
        avatar.calls.append(("own", (context.identity,), {}))

    await provider(bind_audio_endpoint=bind_audio_endpoint).bind(avatar, unused, unused, CONTEXT)

    assert avatar.calls == [("own", ("acme-1",), {})]


@pytest.mark.asyncio
async def test_a_bind_that_is_not_async_is_refused() -> None:
    """A plain function that returns None is an error, and the default does not follow it."""
    avatar = Avatar()
    unused: Any = object()

    @hookimpl
    def bind_audio_endpoint(avatar: Avatar) -> None:
        return None

    with pytest.raises(AdapterError, match="write it as 'async def bind_audio_endpoint"):
        await provider(bind_audio_endpoint=bind_audio_endpoint).bind(
            avatar, unused, unused, CONTEXT
        )
    assert avatar.calls == []


@pytest.mark.asyncio
async def test_what_the_plugin_raises_on_start_goes_through() -> None:
    """The suite judges the plugin's own exception, so it is not wrapped."""
    unused: Any = object()

    class Refusing(Avatar):
        async def start(self, *args: Any, **kwargs: Any) -> None:
            raise ConnectionError("refused")

    with pytest.raises(ConnectionError, match=r"^refused$"):
        await provider().bind(Refusing(), unused, unused, CONTEXT)


def test_what_the_plugins_constructor_raises_goes_through() -> None:
    """A missing setting raises the plugin's own exception, which BIND-09 judges."""

    @hookimpl
    def create_avatar() -> Any:
        raise LookupError("ACME_API_KEY is not set")

    with pytest.raises(LookupError, match=r"^ACME_API_KEY is not set$"):
        provider(create_avatar=create_avatar).create_avatar(CONTEXT)


def test_a_plugin_that_is_too_old_for_the_host_is_one_line() -> None:
    """An abstract avatar session is told as what it is: a plugin older than the host allows."""
    from abc import ABC, abstractmethod

    class Base(ABC):
        @abstractmethod
        def avatar_identity(self) -> str:
            raise NotImplementedError

    class Old(Base):
        pass

    @hookimpl
    def create_avatar() -> Any:
        return Old()  # type: ignore[abstract]

    with pytest.raises(AdapterError, match=r"does not construct on livekit-agents .* 1\.5\.11"):
        provider(create_avatar=create_avatar).create_avatar(CONTEXT)


def test_creating_no_avatar_is_refused() -> None:
    """A create_avatar that forgets its return is told so."""

    @hookimpl
    def create_avatar() -> None:
        return None

    with pytest.raises(AdapterError, match="create_avatar: it returned None; return the plugin's"):
        provider(create_avatar=create_avatar).create_avatar(CONTEXT)


def test_an_async_create_avatar_is_refused() -> None:
    """Construction is not awaited, so a coroutine is the wrong thing to return."""

    @hookimpl
    async def create_avatar() -> Any:
        return Avatar()

    with pytest.raises(AdapterError, match="create_avatar: it returned an awaitable"):
        provider(create_avatar=create_avatar).create_avatar(CONTEXT)


def test_the_backend_is_what_the_adapter_describes() -> None:
    """The vendor's API comes through as it is."""
    assert provider().vendor_backend(CONTEXT) is API


def test_a_backend_that_nobody_can_join_from_is_refused() -> None:
    """Without the room's URL and token in a call no avatar would ever come."""

    @hookimpl
    def vendor_backend() -> Any:
        return VendorAPI(Call("create session", "POST", "/v1/sessions"))

    with pytest.raises(AdapterError, match="no call or socket says where the room is") as caught:
        provider(vendor_backend=vendor_backend).vendor_backend(CONTEXT)
    assert "room=RoomAccess(...)" in caught.value.mend


def test_an_avatar_without_a_participant_needs_no_room() -> None:
    """Where the agent itself publishes the video, no call carries a room token."""

    @hookimpl
    def avatar_provider_manifest() -> Any:
        return {**MANIFEST, "capabilities": {"joins_room": False}}

    @hookimpl
    def vendor_backend() -> Any:
        return VendorAPI(Call("create session", "POST", "/v1/sessions"))

    alone = provider(
        avatar_provider_manifest=avatar_provider_manifest, vendor_backend=vendor_backend
    )
    assert alone.vendor_backend(CONTEXT) is not None


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (
            "json:JSONDecoderError",
            "json has no 'JSONDecoderError'; did you mean 'JSONDecodeError'?",
        ),
        ("json_of_acme:Error", "No module named 'json_of_acme'; give an import path that exists"),
        ("json:dumps", "json:dumps is no exception; name the class that the plugin raises"),
    ],
)
def test_an_exception_that_is_not_there_is_refused(path: str, says: str) -> None:
    """What the manifest names must exist, and be what it is said to be."""

    @hookimpl
    def avatar_provider_manifest() -> Any:
        return {**MANIFEST, "exception": path}

    wrong = provider(avatar_provider_manifest=avatar_provider_manifest)
    with pytest.raises(AdapterError) as caught:
        wrong.documented_exception()
    assert says in str(caught.value)


def test_a_backend_of_the_wrong_type_is_refused() -> None:
    """A list of calls is not an API."""

    @hookimpl
    def vendor_backend() -> Any:
        return [Call("create session", "POST", "/v1/sessions")]

    with pytest.raises(AdapterError, match="vendor_backend: it returned a list; return"):
        provider(vendor_backend=vendor_backend).vendor_backend(CONTEXT)


def test_a_backend_that_raises_is_one_line() -> None:
    """What the hook raised is told as a fault of the adapter."""

    @hookimpl
    def vendor_backend() -> Any:
        raise KeyError("room")

    with pytest.raises(AdapterError, match="adapter acme: vendor_backend: it raised KeyError"):
        provider(vendor_backend=vendor_backend).vendor_backend(CONTEXT)


def test_by_default_the_worker_plays_byte_streams() -> None:
    """A plain vendor's adapter says nothing of the worker."""
    worker: Any = provider().avatar_worker(CONTEXT)

    assert worker is ByteStreamWorker


def test_a_worker_that_cannot_be_made_is_refused() -> None:
    """A worker is made for each participant, so an instance is the wrong thing to return."""

    @hookimpl
    def avatar_worker() -> Any:
        return "worker"

    with pytest.raises(AdapterError, match="avatar_worker: it returned a str; return a Worker"):
        provider(avatar_worker=avatar_worker).avatar_worker(CONTEXT)


def test_deviations_come_as_values() -> None:
    """A mapping and a value are the same deviation."""
    deviation = Deviation(
        requirement="FAULT-02",
        reason="the tail stays bound when the API refuses",
        reference="avatar.py, start()",
        owner="Acme",
        expires=date(2026, 12, 31),
        variants=("401",),
    )

    @hookimpl
    def known_deviations() -> Any:
        return [deviation, deviation.to_json()]

    assert provider(known_deviations=known_deviations).known_deviations() == (deviation, deviation)


def test_by_default_there_are_no_deviations() -> None:
    """An adapter that lists none expects every check to pass."""
    assert provider().known_deviations() == ()


def test_the_installed_version_is_that_of_the_distribution() -> None:
    """The version is read from the metadata of the manifest's distribution."""
    from importlib.metadata import version

    assert provider().installed_version == version("avatar-conformance")


def test_a_distribution_that_is_not_installed_has_no_version() -> None:
    """An adapter can be looked at without its plugin."""

    @hookimpl
    def avatar_provider_manifest() -> Any:
        return {**MANIFEST, "distribution": "livekit-plugins-acme"}

    assert provider(avatar_provider_manifest=avatar_provider_manifest).installed_version is None


def test_two_providers_do_not_hear_each_others_hooks() -> None:
    """Each provider asks its own adapter only."""

    @hookimpl
    def avatar_provider_manifest() -> Any:
        return {**MANIFEST, "name": "other"}

    first = provider()
    second = provider(avatar_provider_manifest=avatar_provider_manifest)

    assert (first.name, second.name) == ("acme", "other")


@pytest.mark.parametrize("name", ["TypeError", "KeyError", "OSError", "BaseException"])
def test_what_python_raises_by_itself_documents_nothing(name: str) -> None:
    """A crash is told from an exception that was raised for whoever catches it."""

    @hookimpl
    def avatar_provider_manifest() -> Any:
        return {**MANIFEST, "exception": f"builtins:{name}"}

    wrong = provider(avatar_provider_manifest=avatar_provider_manifest)
    with pytest.raises(AdapterError, match=f"{name} is what Python raises by itself"):
        wrong.documented_exception()


def test_an_exception_of_pythons_own_must_be_that_class_itself() -> None:
    """Every mistake in the plugin's code raises one that is derived from Exception."""

    @hookimpl
    def avatar_provider_manifest() -> Any:
        return {**MANIFEST, "exception": "builtins:Exception"}

    simple = provider(avatar_provider_manifest=avatar_provider_manifest)
    assert simple.raised_as_documented(Exception("API_KEY must be set"))
    assert not simple.raised_as_documented(TypeError("unsupported operand"))
    assert not simple.raised_as_documented(None)


def test_a_plugins_own_exception_may_be_derived_from() -> None:
    """A class of the plugin's stands for all below it, and for nothing that says it is one."""

    class Claims(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return True

    @hookimpl
    def avatar_provider_manifest() -> Any:
        return {**MANIFEST, "exception": "json:JSONDecodeError"}

    decoder = provider(avatar_provider_manifest=avatar_provider_manifest)

    class Nearer(JSONDecodeError, metaclass=Claims):
        pass

    assert decoder.raised_as_documented(Nearer("", "", 0))
    assert not decoder.raised_as_documented(ValueError())


@pytest.mark.asyncio
@pytest.mark.parametrize("hook", ["bind_audio_endpoint", "unbind_audio_endpoint"])
async def test_a_hook_that_is_to_return_nothing_is_held_to_it(hook: str) -> None:
    """What binding or unbinding returns would be lost, so the adapter's author is told."""
    unused: Any = object()

    async def answers() -> Any:
        return "bound"

    changed = provider(**{hook: hookimpl(answers)})
    calls = {
        "bind_audio_endpoint": lambda: changed.bind(unused, unused, unused, CONTEXT),
        "unbind_audio_endpoint": lambda: changed.unbind(unused, unused, CONTEXT),
    }
    with pytest.raises(AdapterError, match=f"{hook}: it returned a str; let it return nothing"):
        await calls[hook]()
