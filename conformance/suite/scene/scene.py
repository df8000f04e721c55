"""A scene: a real agent session in a room, and one provider's avatars to start, swap and close."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from livekit import rtc
from livekit.agents import Agent, APIConnectOptions
from livekit.agents.voice import io

from conformance import host
from conformance.endpoint import swap_audio_endpoint
from conformance.errors import KitError
from conformance.plugin.context import AdapterContext
from conformance.plugin.player import Player
from conformance.plugin.provider import Provider
from conformance.plugin.room import Clock
from conformance.results.outcomes import Finding, NotApplicable, ProviderRaised, Violation
from conformance.results.timeline import Timeline
from conformance.stage.environ import environ
from conformance.stage.faults import Fault
from conformance.stage.interface import Contact, Stage

from .avatar import Avatar
from .bounds import bound_hint
from .canary import secrets_of
from .chain import Chain, PlaybackEventLog, describe, same
from .environment import AGENT, ROOM, USER, credential_variables, mint
from .error_site import where_to_look
from .exchange import PLAIN, SWITCHER, PlainExchange, SwitcherExchange
from .fake_tail import FakeTail
from .later_calls import expect_later_calls_later
from .secret_forms import leaked
from .speech import Speech
from .tail_recorder import TailWatch
from .user import SimulatedUser

if TYPE_CHECKING:
    from conformance.plugin.manifest import Manifest

T = TypeVar("T")

SPEECH_RATE = 24000
"""Sample rate of speech for a provider that accepts any, in Hz."""


class Scene:
    """A check's scene: session, room, avatars, speech. Opened by :func:`open_scene`."""

    def __init__(
        self,
        stage: Stage,
        provider: Provider,
        room: rtc.Room,
        job: Any,
        *,
        exchange: str = PLAIN,
    ) -> None:
        self.stage = stage
        self.provider = provider
        self.room = room
        self.job = job
        self.session = host.new_session()
        self.avatars: list[Avatar] = []
        self.before: FakeTail | None = None
        self.audience = SimulatedUser(stage, room)
        self.notes: list[str] = []
        """Remarks of a check that passes."""
        self.count: Counter[str] = Counter()
        """What the check itself has tried, by the names of `scene.tried.TRIED`."""
        self.peers: Mapping[str, Provider] = {provider.name: provider}
        """The providers of this run, for swaps between two of them."""
        self.earlier_contacts: Sequence[Contact] = ()
        self.instead_of_wrappers = ""
        """The chain without its wrappers, in words, once a start() has replaced them."""
        self.spoken_samples = 0
        self.exchanging = PlainExchange(self)
        """How the avatars are started, exchanged and closed."""
        self._exchange = exchange
        self._ear: PlaybackEventLog | None = None
        self._recording = False
        self._background: list[asyncio.Future[Any]] = []
        self._watches: list[TailWatch] = []
        self._shown = ""

    # what there is

    @property
    def manifest(self) -> Manifest:
        """The provider's manifest."""
        return self.provider.manifest

    @property
    def clock(self) -> Clock:
        """The stage's clock."""
        return self.stage.clock

    @property
    def timeline(self) -> Timeline:
        """The event timeline so far."""
        return self.stage.timeline

    @property
    def ear(self) -> PlaybackEventLog:
        """The listeners on the top of the chain, from :meth:`start_session` on."""
        if self._ear is None:
            raise KitError("the check looks at playback events before it started the session")
        return self._ear

    def chain(self) -> Chain:
        """The chain of audio outputs as it is now."""
        return Chain.of(self.session)

    # the session

    async def start_session(self, *, tail_before: bool = True, record: bool = False) -> None:
        """Start the agent session; with a tail of the application's own at first, by default."""
        if tail_before:
            self.before = FakeTail(self.clock, sample_rate=None)
            self.session.output.audio = self.before
        await host.start_session(
            self.session, Agent(instructions="speak"), room=self.room, record=record
        )
        self._recording = record
        if self._exchange == SWITCHER:
            self.exchanging = SwitcherExchange(self)
        top = self.session.output.audio
        if top is not None:
            self._ear = PlaybackEventLog(self.timeline, top)
        self._watch("first")

    @contextmanager
    def variables_of(self, avatar: Avatar) -> Iterator[None]:
        """Set the environment variables from which ``avatar`` takes its credentials."""
        with environ(credential_variables(avatar.manifest, avatar.context.secrets)):
            yield

    # avatars

    async def create(
        self,
        label: str = "avatar",
        *,
        provider: Provider | None = None,
        identity: str | None = "",
        withheld: str | None = None,
        server: Mapping[str, str] | None = None,
        connect_options: APIConnectOptions | None = None,
    ) -> Avatar:
        """Construct an avatar, without starting it.

        ``provider`` is by default the one under test. ``identity`` is by default one of the
        avatar's own (``label``-provider), where it is a participant; None asks for the plugin's.
        ``withheld`` names a credential it does not get. ``server`` replaces context fields.
        """
        provider = provider or self.provider
        if identity == "":
            own = provider.manifest.capabilities.joins_room
            identity = f"{label}-{provider.name}" if own else None
        full = self.adapter_context(identity, provider=provider)
        secrets = {name: value for name, value in full.secrets.items() if name != withheld}
        changed = cast("dict[str, Any]", server or {})
        context = replace(full, secrets=secrets, connect_options=connect_options, **changed)
        backend = await self.stage.open_backend(provider, full)
        with environ(credential_variables(provider.manifest, secrets)):
            instance = provider.create_avatar(context)
        avatar = Avatar(label, instance, context, backend, provider)
        self.avatars.append(avatar)
        return avatar

    def adapter_context(
        self, identity: str | None = None, *, provider: Provider | None = None
    ) -> AdapterContext:
        """The context of the adapter's hooks, with every credential in place."""
        manifest = (provider or self.provider).manifest
        credentials = self.stage.server.credentials
        return AdapterContext(
            provider=manifest.name,
            identity=identity,
            agent_identity=AGENT,
            room_name=ROOM,
            livekit_url=credentials.url,
            livekit_api_key=credentials.api_key,
            livekit_api_secret=credentials.api_secret,
            secrets=secrets_of(manifest),
            player=Player(self.clock) if manifest.transport == "in-process" else None,
        )

    async def start(
        self, avatar: Avatar, *, ready: bool = True, order: str | None = None
    ) -> Avatar:
        """Start an avatar and, unless ``ready`` is false, wait until its workers can be heard.

        ``order`` is for a switcher, which puts it in place of the current one.
        """
        known = len(avatar.backend.workers)
        first = not avatar.backend.requests
        events = len(self.timeline)
        before = self.chain()
        if not avatar.manifest.capabilities.joins_room:
            await self.audience.join()  # the agent publishes for somebody, or waits until it can
        self.timeline.record("check", "start", avatar.label)
        try:
            with self.variables_of(avatar):
                await self.exchanging.start(avatar, order)
        except Violation:
            raise
        except Exception as error:  # a provider may raise anything
            self.timeline.record("check", "start failed", avatar.label, error=type(error).__name__)
            hint = where_to_look(error, avatar.backend.request_violations)
            raise ProviderRaised("start() works", error, hint) from error
        finally:
            avatar.workers.extend(list(avatar.backend.workers)[known:])
        if first:
            expect_later_calls_later(avatar, self.timeline, events)
        after = self.chain()
        avatar.tail = after.tail if after.tail is not before.tail else None
        avatar.provider.check_tail(avatar.tail)
        if not same(before.wrappers, after.wrappers):
            self.instead_of_wrappers = after.labels()
        self.timeline.record("check", "started", avatar.label, tail=describe(after.tail))
        self._watch(avatar.label)
        if ready:
            await self.ready(avatar)
        return avatar

    async def bind_call(self, avatar: Avatar) -> None:
        """Call the adapter's bind hook, unbounded; raises what it raises."""
        await avatar.provider.bind(avatar.instance, self.session, self.room, avatar.context)

    async def started(self, label: str = "avatar", **options: Any) -> Avatar:
        """Construct and start an avatar, and wait until it can be heard."""
        return await self.start(await self.create(label, **options))

    def participants(self) -> list[str]:
        """The identities of the avatars that are in the room now."""
        present = self.stage.server.participants(ROOM)
        return [identity for identity in present if identity not in (AGENT, USER)]

    def break_start(self, avatar: Avatar) -> None:
        """Make the vendor refuse ``avatar`` from now on; `NotApplicable` without a vendor."""
        if avatar.provider.vendor_backend(avatar.context) is None:
            raise NotApplicable("the provider has no vendor API (transport in-process)")
        avatar.backend.inject(Fault("status", status=401), times=None)

    async def ready(self, avatar: Avatar) -> None:
        """Wait until every worker of ``avatar`` has joined, the agent knows, and what follows."""
        await avatar.ready(self.room, self.clock)

    async def close(self, avatar: Avatar) -> None:
        """Close an avatar, within its declared bound."""
        await self.exchanging.close(avatar)
        self._watch(avatar.label)

    async def abandon(self, avatar: Avatar) -> None:
        """Close an avatar whose start failed, whatever its closing does."""
        with suppress(Exception):  # how it closes is judged by UNBIND
            await self.close(avatar)

    async def exchange(
        self, old: Avatar, order: str, *, label: str = "new", ready: bool = False, **options: Any
    ) -> Avatar:
        """Replace ``old`` by a new avatar, in the given order; options as for :meth:`create`.

        ``ready`` waits until the new one can be heard, before an old one that is still there goes.
        """
        new = await self.create(label, **options)
        await self.exchanging.replace(old, new, order, ready=ready)
        return new

    def bind(self, sink: io.AudioOutput | None) -> None:
        """Bind a tail, or none, as an application does that keeps the wrappers."""
        self.timeline.record("check", "bind", tail=describe(sink))
        swap_audio_endpoint(self.session.output, sink)
        self._watch(sink.label if sink is not None else "")

    def _watch(self, label: str) -> None:
        """Show the chain where it has changed, and what its tail is given from now on."""
        chain = self.chain()
        if chain.labels() != self._shown:
            self._shown = chain.labels()
            self.timeline.record("wrappers", "chain", outputs=self._shown)
        tail = chain.tail
        if tail is not None and all(watch.tail is not tail for watch in self._watches):
            self._watches.append(TailWatch(self.timeline, tail, label))

    def given(self, avatar: Avatar, since: float) -> float:
        """How many seconds of audio the tail of ``avatar`` was given since that moment."""
        return sum(watch.given(since) for watch in self._watches if watch.tail is avatar.tail)

    def cleared(self, avatar: Avatar, since: float) -> bool:
        """Whether the tail of ``avatar`` was cleared since that moment."""
        return any(watch.cleared(since) for watch in self._watches if watch.tail is avatar.tail)

    # speech

    def speech(
        self,
        seconds: float = 1.0,
        *,
        text: str = "one two three four five",
        paced: bool = False,
        listener: Provider | None = None,
        rate: int | None = None,
    ) -> Speech:
        """A speech of ``seconds`` that no other one sounds like.

        It is in the format of ``listener``, by default the provider under test, unless ``rate``
        is given, in Hz.
        """
        rate = rate or (listener or self.provider).manifest.sample_rate or SPEECH_RATE
        speech = Speech(text, seconds, rate, self.spoken_samples, self.clock, paced)
        self.spoken_samples += round(seconds * rate)
        return speech

    def say(self, seconds: float = 1.0, *, paced: bool = False, **options: Any) -> Speech:
        """Make the agent speak, through the whole real pipeline of the host.

        Options are those of :meth:`speech`.
        """
        speech = self.speech(seconds, paced=paced, **options)
        speech.heard_before = {avatar.label: len(avatar.pcm) for avatar in self.avatars}
        self.timeline.record("agent", "say", seconds=seconds, paced=paced)
        try:
            speech.handle = self.session.say(speech.text, audio=speech.frames())
        except RuntimeError as error:  # what the host raises when its session has closed
            raise Violation(
                Finding("the agent session is open", str(error), at=self.clock.now())
            ) from None
        return speech

    async def spoken(self, speech: Speech, *, hint: str = "") -> None:
        """Wait, within bounds, until the speech is over; ``hint`` is what mends it if it is not."""
        if speech.handle is None:
            raise KitError("the check waits for a speech that nobody says")
        await self.bounded(
            speech.handle.wait_for_playout(),
            "the speech completes",
            seconds=speech.seconds + self.manifest.bounds.playout,
            hint="; ".join(filter(None, (hint, bound_hint(self.manifest, "playout")))),
        )

    def interrupt(self, speech: Speech) -> None:
        """Interrupt a speech, as a user does who talks over the agent."""
        if speech.handle is None:
            raise KitError("the check interrupts a speech that nobody says")
        self.timeline.record("agent", "interrupt")
        speech.handle.interrupt(force=True)

    async def push(self, speech: Speech) -> None:
        """Push a speech into the chain directly, without flushing it."""
        output = self.session.output.audio
        if output is None:
            raise KitError("nothing is bound to push audio into")
        async for frame in speech.frames():
            await output.capture_frame(frame)

    async def bounded(
        self, awaitable: Awaitable[T], what: str, *, seconds: float, hint: str = ""
    ) -> T:
        """Await within ``seconds`` of the stage's clock; raises `Violation` naming ``what``.

        ``hint`` says what there is to do about it.
        """
        began = self.clock.now()
        task = asyncio.ensure_future(awaitable)
        try:
            return await asyncio.wait_for(asyncio.shield(task), seconds)
        except asyncio.TimeoutError:
            if task.done():
                return task.result()
            self._background.append(task)
            raise Violation(
                Finding(
                    f"{what} within {seconds:g} s",
                    f"it was still waiting {self.clock.now() - began:g} s later",
                    hint,
                    at=began,
                )
            ) from None
        except asyncio.CancelledError:
            task.cancel()
            raise

    def leaks(self, text: str) -> list[str]:
        """The names of the secrets that ``text`` has in it, whole, encoded or in part."""
        return leaked(self.secrets, text)

    @property
    def secrets(self) -> Mapping[str, str]:
        """The secrets that the provider is given, by name."""
        context = self.adapter_context()
        given = {c: context.secret(c.name) for c in self.manifest.credentials}
        secrets = {
            c.name: value
            for c, value in given.items()
            if value and (c.is_secret or self._authenticates(value))
        }
        return {**secrets, "livekit_api_secret": self.stage.server.credentials.api_secret}

    def _authenticates(self, value: str) -> bool:
        """Whether ``value`` is in a header of a request: what goes there is no mere setting."""
        requests = (request for avatar in self.avatars for request in avatar.backend.requests)
        return any(value in header for r in requests for header in r.headers.values())

    async def end(self) -> None:
        """Close what the check left open, so that nothing of it outlives it."""
        self.timeline.record("check", "over")
        if self._ear is not None:
            self._ear.detach()
        for watch in self._watches:
            watch.detach()
        with suppress(Exception):  # what it closes is closed once more below
            await asyncio.wait_for(self.exchanging.aclose(), 60)
        for avatar in self.avatars:
            with suppress(Exception):  # a provider that cannot close is judged elsewhere
                await asyncio.wait_for(
                    avatar.provider.unbind(avatar.instance, self.session, avatar.context), 60
                )
        with suppress(Exception):  # so is a session that its avatar keeps from closing
            await asyncio.wait_for(self.session.aclose(), 60)
        await self.audience.end()
        for task in self._background:
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)


@asynccontextmanager
async def open_scene(
    stage: Stage, provider: Provider, *, exchange: str = PLAIN
) -> AsyncIterator[Scene]:
    """An agent in the room, in a job, with a session that has not started yet."""
    async with AsyncExitStack() as stack:
        room = await stage.server.join(mint(stage, AGENT, kind="agent"))
        stack.push_async_callback(room.disconnect)
        job = await stack.enter_async_context(stage.job(room))
        scene = Scene(stage, provider, room, job, exchange=exchange)
        stack.push_async_callback(scene.end)
        yield scene


__all__ = ["AGENT", "ROOM", "USER", "Scene", "mint", "open_scene"]
