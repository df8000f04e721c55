"""What a mutant is, and how one is declared."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from conformance.plugin import AdapterContext, VendorAPI, hookimpl
from conformance.plugin.manager import Provider
from conformance.reference import adapter as reference
from conformance.reference.sound import SoundAvatar
from conformance.worker import ByteStreamWorker, Seat, Worker

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
    """Whether the changed code has run since the last look."""

    seen: bool = False


@dataclass(frozen=True)
class Mutant:
    """A broken provider.

    ``story`` says where the defect comes from: a published plugin, the pull request, or thought.
    """

    name: str
    kills: tuple[Kill, ...]
    story: str
    adapter: object
    effect: Effect = field(default_factory=Effect)

    def provider(self) -> Provider:
        """The provider that the kit judges."""
        return Provider(self.adapter, label=self.name, origin="a mutant", source="bundled")


class SoundAdapter:
    """The adapter of the sound provider; a mutant's overrides what it changes."""

    avatar: Callable[..., Any] = SoundAvatar
    worker: Callable[[Seat], Worker] = ByteStreamWorker
    manifest: Mapping[str, Any] = {}

    @hookimpl
    def avatar_provider_manifest(self) -> Mapping[str, Any]:
        """The reference provider's, with the mutant's changes."""
        return {
            **reference.avatar_provider_manifest(),
            "name": "sound",
            "avatar_session": "conformance.reference.sound:SoundAvatar",
            **self.manifest,
        }

    @hookimpl
    def create_avatar(self, context: AdapterContext) -> Any:
        """Construct it."""
        return type(self).avatar(identity=context.identity)

    @hookimpl
    def vendor_backend(self) -> VendorAPI:
        """The reference vendor's."""
        return reference.vendor_backend()

    @hookimpl
    def avatar_worker(self) -> Callable[[Seat], Worker]:
        """A byte-stream worker."""
        return type(self).worker


MUTANTS: dict[str, Mutant] = {}


def mutant(*kills: Kill, story: str) -> Callable[[C], C]:
    """Declare a class as a mutant: a changed avatar, a changed worker, or a changed adapter.

    Everything that the class itself defines counts as the change, and must run.
    """

    def declare(changed: C) -> C:
        effect = Effect()
        _watch(changed, effect)
        MUTANTS[changed.__name__] = Mutant(
            changed.__name__, kills, story, _adapter_of(changed), effect
        )
        return changed

    return declare


def _adapter_of(changed: type) -> object:
    if issubclass(changed, SoundAdapter):
        return changed()
    part = "worker" if issubclass(changed, Worker) else "avatar"
    return type(f"{changed.__name__}Adapter", (SoundAdapter,), {part: changed})()


def _watch(changed: type, effect: Effect) -> None:
    """Let every function that ``changed`` defines say that it has run."""
    for name, member in list(vars(changed).items()):
        if isinstance(member, property) and member.fget is not None:
            setattr(changed, name, property(_telling(member.fget, effect)))
        elif inspect.isfunction(member):
            setattr(changed, name, _telling(member, effect))


def _telling(function: Callable[..., Any], effect: Effect) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def tell_async(*args: Any, **options: Any) -> Any:
            effect.seen = True
            return await function(*args, **options)

        return tell_async

    @functools.wraps(function)
    def tell(*args: Any, **options: Any) -> Any:
        effect.seen = True
        return function(*args, **options)

    return tell
