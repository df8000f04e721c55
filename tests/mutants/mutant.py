"""What a mutant is, and how one is declared."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from livekit import rtc
from livekit.agents.voice import io

from conformance.plugin import AdapterContext, VendorAPI, hookimpl
from conformance.plugin.provider import Provider
from conformance.plugin.worker import ByteStreamWorker, Worker, WorkerSpec
from conformance.reference import adapter as reference
from conformance.reference.api import ReferenceApi
from conformance.reference.avatar import SAMPLE_RATE
from tests.mutants.robust import SoundAvatar, SoundSink

C = TypeVar("C", bound=type)


@dataclass(frozen=True)
class Kill:
    """The check that must fail, and what its expected or observed text must say.

    ``variant`` None means that one variant at least must fail.
    """

    requirement: str
    says: str
    variant: str | None = None

    def __str__(self) -> str:
        return f"{self.requirement}[{self.variant}]" if self.variant else self.requirement


@dataclass
class Effect:
    """Which of the changed functions have run since the last look.

    A change without a function is one of what the manifest says, and is there from the start.
    """

    changed: set[str] = field(default_factory=set)
    ran: set[str] = field(default_factory=set)

    @property
    def missing(self) -> list[str]:
        """The changed functions that have not run."""
        return sorted(self.changed - self.ran)


@dataclass(frozen=True)
class Mutant:
    """A broken provider.

    ``story`` says where the defect comes from: a published plugin, the pull request, or thought.
    """

    name: str
    kills: tuple[Kill, ...]
    story: str
    adapter: Callable[[], object]
    effect: Effect = field(default_factory=Effect)

    def provider(self) -> Provider:
        """The provider that the kit judges."""
        return Provider(self.adapter(), label=self.name, origin="a mutant", source="bundled")


class SinkAvatar(SoundAvatar):
    """The sound avatar with its sink and its API client to be exchanged."""

    sink: Callable[..., io.AudioOutput] = SoundSink
    client: Callable[..., ReferenceApi] = ReferenceApi

    def _sink(self) -> Any:
        return type(self).sink(
            self._own_room,
            destination_identity=self._identity,
            sample_rate=SAMPLE_RATE,
            wait_remote_track=rtc.TrackKind.KIND_VIDEO,
            wait_playback_start=True,
        )

    def _vendor(self) -> ReferenceApi:
        return type(self).client(self._api_key, attempts=self._attempts)


class SoundAdapter:
    """The adapter of the sound provider; a mutant's overrides what it changes."""

    avatar: Callable[..., Any] = SoundAvatar
    worker: Callable[[WorkerSpec], Worker] = ByteStreamWorker
    manifest: Mapping[str, Any] = {}

    @hookimpl
    def avatar_provider_manifest(self) -> Mapping[str, Any]:
        """The reference provider's, with the mutant's changes."""
        return {
            **reference.avatar_provider_manifest(),
            "name": "reference-sound",
            "avatar_session": _named(type(self).avatar),
            **self.manifest,
        }

    @hookimpl
    def create_avatar(self, context: AdapterContext) -> Any:
        """Construct it."""
        return type(self).avatar(identity=context.identity, **context.conn_options())

    @hookimpl
    def vendor_backend(self) -> VendorAPI:
        """The reference vendor's."""
        return reference.vendor_backend()

    @hookimpl
    def avatar_worker(self) -> Callable[[WorkerSpec], Worker]:
        """A byte-stream worker."""
        return type(self).worker


def _named(avatar: Callable[..., Any]) -> str:
    """How a manifest names an avatar's class: itself, or the sound one that it is derived from."""
    if isinstance(avatar, type) and not issubclass(avatar, SoundAvatar):
        return f"{avatar.__module__}:{avatar.__qualname__}"
    return "tests.mutants.robust:SoundAvatar"


MUTANTS: dict[str, Mutant] = {}


def mutant(*kills: Kill, story: str, **fields: Any) -> Callable[[C], C]:
    """Declare a class as a mutant: a changed avatar, sink, API client, worker or adapter.

    Everything that the class itself defines counts as the change, and must run. ``fields`` are
    set on the adapter: ``manifest`` most often.
    """

    def declare(changed: C) -> C:
        name = dashed(changed.__name__)
        if name in MUTANTS:
            raise ValueError(f"two mutants are called {name}")
        effect = Effect()
        watch(changed, effect)
        MUTANTS[name] = Mutant(name, kills, story, _adapter_of(changed, fields), effect)
        return changed

    return declare


def dashed(name: str) -> str:
    """A class's name as a mutant's: ``RawAssignment`` is ``raw-assignment``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", name).lower()


def _sink_avatar(**part: Any) -> type[SinkAvatar]:
    return type("Avatar", (SinkAvatar,), {"__module__": __name__, **part})


def _adapter_of(changed: type, fields: Mapping[str, Any]) -> Callable[[], object]:
    if issubclass(changed, SoundAdapter):
        return type(f"{changed.__name__}Adapter", (changed,), dict(fields))
    if issubclass(changed, Worker):
        part: dict[str, Any] = {"worker": changed}
    elif issubclass(changed, io.AudioOutput):
        part = {"avatar": _sink_avatar(sink=changed)}
    elif issubclass(changed, ReferenceApi):
        part = {"avatar": _sink_avatar(client=changed)}
    else:
        part = {"avatar": changed}
    base = getattr(changed, "adapter", SoundAdapter)
    return type(f"{changed.__name__}Adapter", (base,), {**part, **fields})


def watch(changed: type, effect: Effect) -> None:
    """Let every function that ``changed`` defines say that it has run."""
    for name, member in list(vars(changed).items()):
        if isinstance(member, property) and member.fget is not None:
            setattr(changed, name, property(_telling(member.fget, effect)))
        elif inspect.isfunction(member):
            setattr(changed, name, _telling(member, effect))


def _telling(function: Callable[..., Any], effect: Effect) -> Callable[..., Any]:
    name = function.__name__
    effect.changed.add(name)
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def tell_async(*args: Any, **options: Any) -> Any:
            effect.ran.add(name)
            return await function(*args, **options)

        return tell_async

    @functools.wraps(function)
    def tell(*args: Any, **options: Any) -> Any:
        effect.ran.add(name)
        return function(*args, **options)

    return tell
