"""One run of a plugin on the loopback stage, with a vendor that takes anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, cast
from unittest import mock

from conformance.loopback.stage import LoopbackRunner
from conformance.loopback.virtual_time.event_loop import HANGS
from conformance.plugin import AdapterContext, Call, MintedAccess, VendorAPI, hookimpl
from conformance.plugin.code_owner import module_of, outwards
from conformance.plugin.provider import Provider
from conformance.results.outcomes import ProviderRaised, Violation
from conformance.stage.interface import Stage
from conformance.suite.scene.scene import Scene, open_scene

from .any_backend import CLOSE, AnyBackend, RecordedCall, RecordingStage, Script, claims_of
from .arguments import Draft
from .field_reads import FieldReads
from .plugin_class import PluginClass

ENDINGS = ("close", "restart", "shutdown", "session", "disconnected")
LIVEKIT = "livekit"
_SERVER = ("livekit_url", "livekit_api_key", "livekit_api_secret")
RATE, OTHER_RATE = 24000, 44100
_SECONDS = 0.5
_AFTERWARDS = 5.0
_LIMIT = 900.0


@dataclass(frozen=True)
class Take:
    """What is done in a run, and what is another than in the first one."""

    draft: Draft
    suffix: str = "1"
    identity: str | None = None
    rate: int = RATE
    ending: str = "close"
    withheld: str | None = None
    """The credential that it does not get; ``livekit`` stands for those of the room's server."""
    spoilt: str | None = None
    answers: Mapping[str, Mapping[str, Any]] | None = None


@dataclass
class Recording:
    """What came of a run. ``error`` is what the plugin raised, ``problem`` what did not happen."""

    reads: FieldReads = field(default_factory=FieldReads)
    variables: dict[str, None] = field(default_factory=dict)
    """The environment variables that the plugin read."""
    calls: list[RecordedCall] = field(default_factory=list)
    data: list[tuple[str, str, bytes]] = field(default_factory=list)
    hosts: tuple[str, ...] = ()
    error: Exception | None = None
    problem: str = ""
    bound: bool = False
    tail: str = ""
    spoke: bool = False
    restarted: bool = False
    heard_rate: int | None = None
    heard_exactly: bool = False
    started_by_avatar: bool = False
    identities: tuple[str, ...] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)
    room_sid: str = ""

    @property
    def works(self) -> bool:
        """Whether the start worked, and bound something."""
        return self.error is None and self.bound


def record(plugin: PluginClass, take: Take) -> Recording:
    """Make an avatar, start it, speak, and end it; what a plugin raises is in the recording."""
    found = Recording()
    provider = Provider(_Adapter(plugin, take), label="recording", origin="a recording")
    script = Script(
        take.draft.answers if take.answers is None else take.answers,
        {f"-{take.suffix}": "-1"} if take.suffix != "1" else {},
        take.spoilt,
    )

    async def scenario(opened: Stage) -> None:
        stage = cast(RecordingStage, opened)
        stage.script, stage.reads = script, found.reads
        async with open_scene(stage, provider) as scene:
            found.room_sid = await scene.room.sid
            try:
                await _act(scene, stage, take, found)
            except ProviderRaised as failure:
                found.error = found.error or failure.error
            except Violation as failure:
                found.problem = found.problem or str(failure)
            except Exception as error:  # the plugin's constructor may raise anything
                found.error = found.error or error
            backend = getattr(stage, "backend", None)
        if isinstance(backend, AnyBackend):
            found.calls, found.data = backend.calls, backend.data
            found.hosts = tuple(backend.hosts)

    runner = LoopbackRunner(stage=RecordingStage, limit=_LIMIT)
    watched = WatchedEnviron(os.environ, plugin.package, set(take.draft.variables), found.variables)
    with mock.patch.object(os, "environ", watched), found.reads.watched():
        try:
            runner.run(scenario)
        except HANGS as error:
            found.problem = found.problem or str(error)
    return found


async def _act(scene: Scene, stage: RecordingStage, take: Take, found: Recording) -> None:
    await scene.start_session()
    nowhere = dict.fromkeys(_SERVER, "") if take.withheld == LIVEKIT else None
    for variable in _SERVER if nowhere else ():
        os.environ.pop(variable.upper(), None)  # the runner puts the environment back
    avatar = await scene.create(identity=take.identity, withheld=take.withheld, server=nowhere)
    backend = stage.backend
    found.secrets = avatar.context.secrets
    try:
        await scene.start(avatar)
    finally:
        found.bound = avatar.tail is not None
        found.tail = type(avatar.tail).__name__ if avatar.tail is not None else ""
        tokens = [worker.spec.token for worker in backend.workers]
        found.identities = tuple(str(claims_of(token).get("sub", "")) for token in tokens)
    if not found.bound:
        return
    began = scene.clock.now()
    speech = scene.say(_SECONDS)
    try:
        await scene.spoken(speech)
        found.spoke = True
    except Violation as failure:
        found.problem = str(failure)
    if avatar.heard:
        found.heard_rate = avatar.heard[0].sample_rate
        found.heard_exactly = avatar.pcm == speech.pcm
    waited = backend.behaviour.play_after - 0.01
    found.started_by_avatar = any(at >= began + waited for at in scene.ear.started)
    backend.phase = CLOSE
    if take.ending == "shutdown":
        await scene.job.shutdown()
    elif take.ending == "session":
        await scene.session.aclose()
    else:
        if take.ending == "disconnected":
            await scene.room.disconnect()
        await scene.close(avatar)
    await scene.clock.sleep(_AFTERWARDS)
    if take.ending == "restart":
        backend.phase = "again"
        before = len(avatar.heard)
        await scene.start(avatar)
        await scene.spoken(scene.say(_SECONDS))
        found.restarted = len(avatar.heard) > before


class _Adapter:
    """The adapter of a recording: makes the avatar as the draft says."""

    def __init__(self, plugin: PluginClass, take: Take) -> None:
        self._plugin = plugin
        self._take = take

    @hookimpl
    def avatar_provider_manifest(self) -> Mapping[str, Any]:
        """What is needed to run it at all."""
        return {
            "name": f"recording-{self._take.suffix}",
            "distribution": self._plugin.distribution,
            "avatar_session": self._plugin.path,
            "exception": "builtins:Exception",
            "transport": "bytestream",
            "hosts": ["recording.test"],
            "sample_rate": self._take.rate,
            "credentials": self._take.draft.credentials,
        }

    @hookimpl
    def create_avatar(self, context: AdapterContext) -> object:
        """Make it of the draft's arguments."""
        draft = self._take.draft
        given = {each.name: each.make(context, self._take.suffix) for each in draft.arguments}
        if draft.identity is not None and context.identity:
            given[draft.identity] = context.identity
        return self._plugin.type(**given)

    @hookimpl
    def vendor_backend(self) -> VendorAPI:
        """Something that brings an avatar in; the stage answers by itself."""
        return VendorAPI(Call("anything", "POST", "/", room=MintedAccess()))


class WatchedEnviron(MutableMapping[str, str]):
    """The environment as one package sees it: what it was not given is not there, but noted."""

    def __init__(
        self, real: MutableMapping[str, str], package: str, given: set[str], read: dict[str, None]
    ) -> None:
        self._real = real
        self._package = package
        self._given = given
        self._read = read

    def __getitem__(self, name: str) -> str:
        if not name.startswith("LIVEKIT_") and self._is_asked_by_package():
            self._read.setdefault(name)
            if name not in self._given:
                raise KeyError(name)
        return self._real[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._real[name] = value

    def __delitem__(self, name: str) -> None:
        del self._real[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._real)

    def __len__(self) -> int:
        return len(self._real)

    def copy(self) -> dict[str, str]:
        """A copy of all that is there."""
        return dict(self._real)

    def _is_asked_by_package(self) -> bool:
        for frame in outwards(sys._getframe(2)):
            module = module_of(frame)
            if f"{module}.".startswith(f"{self._package}."):
                return True
            if module.startswith(("livekit.agents.", "conformance.")):
                return False
        return False
