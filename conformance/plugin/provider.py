"""One adapter, behind one typed method per hook. Nothing else touches the hooks."""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import traceback
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cached_property
from inspect import isawaitable, iscoroutine
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, cast

import pluggy

from conformance.errors import AdapterError, exception_text
from conformance.results.deviation import Deviation, specifier_problem

from . import defaults, spec
from .hook_answers import TooMuch, kind, plain, raised
from .hook_validation import check_implementation, implemented_hooks
from .installed import HOST, has_module
from .manifest import Manifest
from .provenance import file_of, why_not_the_plugins
from .schema_errors import first_problem
from .watchdog import PATIENCE, watchdog

if TYPE_CHECKING:
    from livekit import rtc
    from livekit.agents import AgentSession

    from .context import AdapterContext
    from .vendor_api import VendorAPI
    from .worker import Worker, WorkerSpec

Source = Literal["file", "conftest", "entry-point", "bundled"]

_RAISED_ON_PURPOSE = ("Exception", "RuntimeError", "ValueError")
"""Exceptions of Python that a plugin may document for a missing setting."""
_MANIFEST = "avatar_provider_manifest"
_ABSTRACT = "Can't instantiate abstract class"


class Provider:
    """One provider under certification: its manifest, and what its adapter does.

    Making one validates the adapter; `AdapterError` says what is wrong with it. ``origin`` says
    where the adapter was found, in words; ``source`` is the kind of place; ``own`` is true where it
    belongs to the repository that the run was started in. ``installed_version`` is the version of
    the plugin's distribution, None when that is not installed.
    """

    def __init__(
        self,
        adapter: object,
        *,
        label: str,
        origin: str,
        source: Source = "file",
        own: bool = False,
    ) -> None:
        self._label = label
        self.origin = origin
        self.source: Source = source
        self.own = own
        self.adapter_file: str | None = getattr(adapter, "__file__", None)
        check_implementation(adapter, label)
        self._defaults: ModuleType = defaults
        self._implemented = implemented_hooks(adapter)
        self._relay = pluggy.PluginManager(spec.PROJECT)
        self._relay.add_hookspecs(spec)
        self._relay.register(defaults)
        try:
            self._relay.register(adapter)
        except pluggy.PluginValidationError as error:
            raise AdapterError(label, "", str(error), "see conformance.plugin.spec") from error
        self.manifest = self._read_manifest()
        self._label = self.manifest.name
        self._check_backend_is_there()
        self._deviations = self._read_deviations()
        self.installed_version = _installed_version(self.manifest.distribution)

    def __repr__(self) -> str:
        return f"Provider({self.name!r}, origin={self.origin!r})"

    @property
    def name(self) -> str:
        """The provider's name, as in ``--provider NAME``."""
        return self.manifest.name

    @property
    def module(self) -> str:
        """The module that the plugin's avatar class is imported from."""
        return self.manifest.avatar_session.partition(":")[0]

    @property
    def bundled(self) -> bool:
        """Whether the adapter came with the kit."""
        return self.source == "bundled"

    @cached_property
    def is_shipped(self) -> bool:
        """Whether the installed distribution has the avatar's module, as far as it can be told.

        An avatar of the host's own came with a later version than the oldest that is supported.
        """
        return self.manifest.distribution != HOST or has_module(HOST, self.module)

    def create_avatar(self, context: AdapterContext) -> Any:
        """Construct the plugin's avatar session.

        What the plugin's constructor raises goes through unchanged; `fault` makes one line of it.
        """
        try:
            avatar = self._caller("create_avatar")(context=context)
        except TypeError as error:
            if _ABSTRACT not in exception_text(error):
                raise
            raise self._too_old_for_host(error) from error
        if avatar is None or isawaitable(avatar):
            if iscoroutine(avatar):
                avatar.close()
            raise self._wrong(
                "create_avatar", f"it returned {kind(avatar)}", "return the plugin's AvatarSession"
            )
        named = self._named("avatar_session")
        if not isinstance(named, type):
            raise self._wrong(
                _MANIFEST,
                f"field 'avatar_session': {self.manifest.avatar_session} is no class",
                "name the class of the plugin's avatar sessions",
            )
        foreign = why_not_the_plugins(avatar, named, self.manifest.distribution)
        if foreign is not None:
            raise self._wrong(
                "create_avatar",
                f"what it returned is not the plugin's own: {foreign}",
                f"return an instance of {self.manifest.avatar_session}, as "
                f"{self.manifest.distribution} has it",
            )
        return avatar

    def check_tail(self, tail: object) -> None:
        """Raise `AdapterError` for a tail whose class the adapter's own file defines."""
        own = self.adapter_file
        if own is not None and file_of(type(tail)) == Path(own).resolve():
            raise self._wrong(
                "bind_audio_endpoint",
                f"the tail that is bound is a {type(tail).__name__} of the adapter's own",
                "let the plugin's start() bind the plugin's tail, which is what is judged",
            )

    def documented_exception(self) -> type[BaseException]:
        """The class that the manifest's ``exception`` names; `AdapterError` where there is none."""
        named = self._named("exception")
        if not (isinstance(named, type) and issubclass(named, BaseException)):
            raise self._wrong(
                _MANIFEST,
                f"field 'exception': {self.manifest.exception} is no exception",
                "name the class that the plugin raises when a setting is missing",
            )
        if named.__module__ == "builtins" and named.__name__ not in _RAISED_ON_PURPOSE:
            raise self._wrong(
                _MANIFEST,
                f"field 'exception': {named.__name__} is what Python raises by itself",
                "name the class that the plugin raises when a setting is missing",
            )
        return named

    def raised_as_documented(self, error: BaseException | None) -> bool:
        """Whether ``error`` is of the class that the manifest's ``exception`` names.

        Of one of Python's own, like Exception, it must be that class itself: any mistake in the
        plugin's code raises one that is derived from it.
        """
        documented = self.documented_exception()
        if documented.__module__ == "builtins":
            return type(error) is documented
        return documented in type(error).__mro__

    def _named(self, field: str) -> Any:
        path: str = getattr(self.manifest, field)
        module, _, name = path.partition(":")
        try:
            return getattr(importlib.import_module(module), name)
        except ImportError as error:
            raise self._wrong(
                _MANIFEST, f"field '{field}': {error}", "give an import path that exists"
            ) from error
        except AttributeError as error:
            near = difflib.get_close_matches(name, dir(importlib.import_module(module)), n=1)
            mend = f"did you mean '{near[0]}'?" if near else "give a name that it has"
            raise self._wrong(
                _MANIFEST, f"field '{field}': {module} has no '{name}'", mend
            ) from error

    async def bind(
        self,
        avatar: Any,
        agent_session: AgentSession[Any],
        room: rtc.Room,
        context: AdapterContext,
    ) -> None:
        """Start the avatar; what the plugin raises goes through unchanged."""
        await self._awaitable(
            "bind_audio_endpoint",
            self._caller("bind_audio_endpoint")(
                avatar=avatar, agent_session=agent_session, room=room, context=context
            ),
        )

    async def unbind(
        self, avatar: Any, agent_session: AgentSession[Any], context: AdapterContext
    ) -> None:
        """Close the avatar; what the plugin raises goes through unchanged."""
        await self._awaitable(
            "unbind_audio_endpoint",
            self._caller("unbind_audio_endpoint")(
                avatar=avatar, agent_session=agent_session, context=context
            ),
        )

    def vendor_backend(self, context: AdapterContext) -> VendorAPI | None:
        """Describe the vendor's API; None for a provider that talks to none."""
        from .vendor_api import VendorAPI

        api = self._call("vendor_backend", context=context)
        if api is None and self.manifest.transport == "in-process":
            return None
        if not isinstance(api, VendorAPI):
            raise self._wrong(
                "vendor_backend",
                f"it returned {kind(api)}",
                "return a VendorAPI (only an 'in-process' transport may return None)",
            )
        if self.manifest.capabilities.joins_room and not api.joins:
            raise self._wrong(
                "vendor_backend",
                "no call or socket says where the room is, so that no avatar can join it",
                "give the call that is sent the room's URL and token room=RoomAccess(...), or say "
                "in the manifest's capabilities that joins_room is False",
            )
        return api

    def avatar_worker(self, context: AdapterContext) -> Callable[[WorkerSpec], Worker]:
        """What makes the vendor's participant for a `WorkerSpec`."""
        worker = self._call("avatar_worker", context=context)
        if not callable(worker):
            raise self._wrong(
                "avatar_worker",
                f"it returned {kind(worker)}",
                "return a Worker class, or a function that makes a Worker for a WorkerSpec",
            )
        return cast("Callable[[WorkerSpec], Worker]", worker)

    def known_deviations(self) -> tuple[Deviation, ...]:
        """The failures that the adapter expects."""
        return self._deviations

    def fault(self, hook: str, error: BaseException) -> AdapterError:
        """One line about ``hook`` having raised ``error``: what, and where in the adapter."""
        return self._wrong(
            hook, f"it raised {raised(error, self.adapter_file)}", "mend the adapter"
        )

    def raised_by_adapter(self, error: BaseException) -> bool:
        """Whether the adapter's own code raised ``error``, and not what it called."""
        frames = traceback.extract_tb(error.__traceback__)
        return bool(frames) and frames[-1].filename == self.adapter_file

    def _read_manifest(self) -> Manifest:
        hook = _MANIFEST
        returned = self._call(hook)
        if not isinstance(returned, (Manifest, Mapping)):
            raise self._wrong(
                hook, f"it returned {kind(returned)}", "return a Manifest or a mapping"
            )
        data = self._data(hook, returned.to_json() if isinstance(returned, Manifest) else returned)
        problem = first_problem("manifest", data)
        if problem is not None:
            raise self._wrong(hook, *problem)
        return Manifest.from_json(data)

    def _check_backend_is_there(self) -> None:
        if "vendor_backend" not in self._implemented and self.manifest.transport != "in-process":
            raise self._wrong(
                "vendor_backend",
                "the hook is missing",
                "implement vendor_backend(context), or say transport 'in-process'",
            )

    def _read_deviations(self) -> tuple[Deviation, ...]:
        hook = "known_deviations"
        returned = self._call(hook)
        if not isinstance(returned, Sequence) or isinstance(returned, str):
            raise self._wrong(hook, f"it returned {kind(returned)}", "return a list of Deviation")
        with self._faults_of(hook):
            listed = [item.to_json() if isinstance(item, Deviation) else item for item in returned]
        for item in listed:
            if not isinstance(item, Mapping):
                raise self._wrong(hook, f"it listed {kind(item)}", "list Deviation values")
        data: list[Any] = self._data(hook, listed)
        problem = first_problem("deviations", {"deviations": data})
        if problem is not None:
            raise self._wrong(hook, *problem)
        return tuple(self._deviation(index, item) for index, item in enumerate(data))

    def _deviation(self, index: int, data: Mapping[str, Any]) -> Deviation:
        where = f"deviations[{index}]"
        try:
            deviation = Deviation.from_json(data)
        except ValueError as error:
            raise self._wrong(
                "known_deviations", f"field '{where}.expires': {error}", "give a day YYYY-MM-DD"
            ) from error
        for field in ("host", "plugin"):
            wrong = specifier_problem(getattr(deviation, field))
            if wrong is not None:
                raise self._wrong(
                    "known_deviations",
                    f"field '{where}.{field}': {wrong}",
                    "give a version specifier like '>=1.8,<1.9'",
                )
        out_of_bounds = deviation.problem(date.today())
        if out_of_bounds is not None:
            wrong, mend = out_of_bounds
            about = f"{where} ({deviation.requirement})"
            raise self._wrong("known_deviations", f"{about}: {wrong}", mend)
        return deviation

    def _call(self, hook: str, **arguments: Any) -> Any:
        with self._faults_of(hook):
            return self._caller(hook)(**arguments)

    def _data(self, hook: str, answer: object) -> Any:
        """What a hook returned, as mappings, lists and single values."""
        with self._faults_of(hook):
            return plain(answer)

    @contextmanager
    def _faults_of(self, hook: str) -> Iterator[None]:
        """Make one line of whatever ``hook`` raises, and of a hook that does not end."""
        try:
            with watchdog(PATIENCE):
                yield
        except KeyboardInterrupt:
            raise
        except TooMuch as error:
            raise self._wrong(hook, str(error), "return plain values") from None
        # An adapter is foreign code: SystemExit, and what pytest raises to skip, are faults too.
        except BaseException as error:
            raise self.fault(hook, error) from error

    def _caller(self, hook: str) -> Callable[..., Any]:
        # Where the adapter implements a hook its answer counts, None included: no default follows.
        if hook in self._implemented:
            return self._relay.subset_hook_caller(hook, remove_plugins=[self._defaults])
        return cast("Callable[..., Any]", getattr(self._relay.hook, hook))

    async def _awaitable(self, hook: str, returned: Awaitable[object] | None) -> None:
        if not isawaitable(returned):
            raise self._wrong(
                hook, f"it returned {kind(returned)}", f"write it as 'async def {hook}(...)'"
            )
        answer: object = await returned
        if answer is not None:
            raise self._wrong(hook, f"it returned {kind(answer)}", "let it return nothing")

    def _too_old_for_host(self, error: TypeError) -> AdapterError:
        host = _installed_version("livekit-agents")
        return self._wrong(
            "create_avatar",
            f"{self.manifest.distribution} {self.installed_version} does not construct on "
            f"livekit-agents {host} ({error})",
            "install a plugin of 1.5.11 or newer, or the host that it was made for",
        )

    def _wrong(self, hook: str, wrong: str, mend: str) -> AdapterError:
        return AdapterError(self._label, hook, wrong, mend)


def _installed_version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None
