"""Mutants that bind wrongly when they start."""

from __future__ import annotations

from typing import Any, ClassVar
from weakref import WeakSet

from livekit.agents.voice import io
from livekit.agents.voice.avatar import AvatarSession

from conformance import host
from conformance.endpoint import swap_audio_endpoint
from tests.mutants.robust import SoundAvatar

from .mutant import Kill, mutant
from .outputs import Passing

REPLACED = "the wrappers were replaced"


@mutant(
    Kill("BIND-02", REPLACED),
    Kill("SWAP-01", "playback_finished 2 time(s) at the top of the chain"),
    Kill("SWAP-02", "the speech completes within"),
    Kill("SWAP-09", "the speech completes within"),
    story="every plugin before livekit-agents 1.6.1, and the pull request",
)
class RawAssignment(SoundAvatar):
    """Assigns the output, and so drops the wrappers."""

    def _bind(self) -> None:
        self._output.audio = self._sink()


@mutant(
    Kill("BIND-02", REPLACED),
    Kill("SWAP-11", "playback_finished 4 time(s)"),
    story="the pull request: a wrapper is wrapped around the new sink again",
)
class WrapperReWrapped(SoundAvatar):
    """Keeps a wrapper in the chain, but not the one that was there."""

    def _bind(self) -> None:
        self._output.audio = Passing(self._sink())


@mutant(
    Kill("BIND-01", "it bound 2 times"),
    story="a plugin that binds in its constructor's helper and again in start()",
)
class BindsTwice(SoundAvatar):
    """Binds a sink, and then another."""

    def _bind(self) -> None:
        host.bind_tail(self._output, self._sink())
        host.bind_tail(self._output, self._sink())


@mutant(
    Kill("BIND-01", "the tail is still"),
    Kill("SWAP-09", "none of the audio"),
    story="simli and avatartalk on a refusal",
)
class BindsNothing(SoundAvatar):
    """Opens its session and binds nothing."""

    def _bind(self) -> None:
        return


@mutant(
    Kill("BIND-02", "were removed"),
    Kill("SWAP-11", "playback_finished 4 time(s)"),
    story="thought: a plugin that cleans up more than its own listeners",
)
class DropsListeners(SoundAvatar):
    """Takes the listeners of others off the top of the chain."""

    def _bind(self) -> None:
        top = self._output.audio
        for listener in host.listeners(top, "playback_finished") if top is not None else ():
            top.off("playback_finished", listener)
        super()._bind()


class _TextTail(io.TextOutput):
    def __init__(self) -> None:
        super().__init__(label="mutant", next_in_chain=None)

    async def capture_text(self, text: str) -> None:
        """Drop it."""

    def flush(self) -> None:
        """Nothing to do."""


@mutant(
    Kill("BIND-02", "session.output.transcription stays the same object"),
    Kill("SWAP-05", "session.output.transcription stays the same object"),
    story="thought: a plugin that shows captions of its own",
)
class TranscriptionReplaced(SoundAvatar):
    """Puts its own text output in the place of the synchronizer's."""

    def _bind(self) -> None:
        super()._bind()
        self._output.transcription = _TextTail()


@mutant(
    Kill("BIND-03", "session.output.audio is None"),
    story="lemonslice's tutorial once: start the avatar after the session only",
)
class BindsIntoAChainOnly(SoundAvatar):
    """Waits with its sink for a chain that is not there yet."""

    def _bind(self) -> None:
        if self._output.audio is not None:
            super()._bind()


@mutant(
    Kill("BIND-03", "the session's wrappers above"),
    story="a plugin that assigns its sink when the session has started",
)
class BindsWhenTheSessionRuns(SoundAvatar):
    """Binds early, and once more by assignment after that."""

    def _bind(self) -> None:
        super()._bind()
        if self._output.audio.next_in_chain is None:
            session, sink = self._own_session, self._sink()
            assert session is not None

            def assign(event: Any) -> None:
                session.output.audio = sink

            session.once("agent_state_changed", assign)


@mutant(
    Kill("BIND-10", "the old tail and the new avatar together"),
    story="lemonslice: bound before the vendor's API has answered",
)
class BindsASinkThatDropsEarly(SoundAvatar):
    """Binds a sink that drops what comes before the vendor's answer."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        swap_audio_endpoint(agent_session.output, None)
        await super().start(agent_session, room, **options)


@mutant(
    Kill("BIND-10", "playback_finished once for the segment"),
    story="thought: a plugin that ends what is being said before it starts",
)
class EndsTheSpeechAtStart(SoundAvatar):
    """Flushes the chain when it binds, in the middle of a segment."""

    def _bind(self) -> None:
        if self._output.audio is not None and host.is_capturing(self._output.audio):
            self._output.audio.flush()
        super()._bind()


class _Delegating:
    """Everything that an avatar is, but no `AvatarSession`."""

    inner: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


@mutant(
    Kill("BIND-07", "a subclass of livekit.agents.voice.avatar.AvatarSession"),
    story="plugins before the host had a base class",
)
class NoAvatarSession(_Delegating):
    """Does everything, but is no `AvatarSession`."""

    def __init__(self, **options: Any) -> None:
        self.inner = SoundAvatar(**options)


@mutant(
    Kill("BIND-07", "`provider` names the vendor"),
    story="a plugin that never overrides the property",
)
class ProviderUnknown(SoundAvatar):
    """Leaves `provider` as the base class has it."""

    @property
    def provider(self) -> str:
        return "unknown"


@mutant(
    Kill("BIND-07", "one AvatarMetrics with avatar_joined_time"),
    story="plugins that override start() without calling the base class",
)
class JoinMetricsMissing(SoundAvatar):
    """Keeps the measurement of its join to itself."""

    def _emit_metrics(self, metrics: Any) -> None:
        return


@mutant(
    Kill("BIND-07", "2 of them"),
    story="a plugin that calls the base class's start in a helper and again in start()",
)
class StartsTheBaseTwice(SoundAvatar):
    """Has its join measured twice."""

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        await AvatarSession.start(self, agent_session, room)
        await super().start(agent_session, room, **options)


@mutant(
    Kill("SWAP-14", "both swaps succeed; observed"),
    Kill("UNBIND-06", "start() works; observed RuntimeError: reference: one avatar"),
    story="thought: a plugin that allows one avatar for a session",
)
class OneForEachSession(SoundAvatar):
    """Refuses to start in a session that had one already."""

    sessions: ClassVar[WeakSet[Any]] = WeakSet()

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        if agent_session in self.sessions:
            raise RuntimeError("reference: one avatar has been started already")
        self.sessions.add(agent_session)
        await super().start(agent_session, room, **options)


@mutant(
    Kill("BIND-04", "a tail that can pause, as the manifest claims"),
    story="a manifest that was copied from another vendor's",
    manifest={
        "capabilities": {
            "ends_session": True,
            "restartable": True,
            "playback_started": True,
            "pause": True,
        }
    },
)
class SaidToPause(SoundAvatar):
    """Has a sink that cannot pause."""
