"""The example of a new plugin: an agent gets another avatar in the middle of a sentence."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from livekit import rtc

from conformance.loopback.stage import LoopbackRunner
from conformance.plugin.player import Player
from conformance.plugin.provider import Provider
from conformance.scaffold.answers import TRANSPORTS, Answers, PluginTransport
from conformance.scaffold.names import plugin_name
from conformance.scaffold.render import render_plugin
from conformance.stage.interface import Stage
from conformance.suite.scene.recording import agent_channel_seconds
from conformance.suite.scene.scene import open_scene

SENTENCE = "While I say this, somebody may well give me another face."
SECONDS = 3.42
"""How long the example hums it."""


@dataclass
class Example:
    """A new plugin: its adapter, and the two programs of its example."""

    provider: Provider
    agent: ModuleType
    caller: ModuleType


@dataclass
class ScenarioRun:
    """What came of the sentence."""

    answers: list[str]
    hummed: bytes
    heard: list[bytes]
    transcript: str
    recorded: float
    listened: list[bool]
    left: list[str]


def plugin(
    directory: Path, name: str, transport: PluginTransport, monkeypatch: pytest.MonkeyPatch
) -> Example:
    """Make a new plugin, and load it and its example."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory / "cache"))
    made = render_plugin(Answers(plugin_name(name), transport=transport), directory / name)
    monkeypatch.syspath_prepend(str(made))
    module = name.replace("-", "_")
    adapter = importlib.import_module(f"livekit.plugins.{module}.conformance_adapter")
    provider = Provider(adapter, label=name, origin="a test")
    programs = made / "examples"
    return Example(provider, loaded(programs / "swap_agent.py"), loaded(programs / "call_swap.py"))


def loaded(file: Path) -> ModuleType:
    """A program, imported from its file."""
    spec = importlib.util.spec_from_file_location(f"example_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def play(stage: Stage, example: Example) -> ScenarioRun:
    """Speak one sentence, and ask for another avatar in the middle of it."""
    provider, agent = example.provider, example.agent
    async with open_scene(stage, provider) as scene:
        context = scene.adapter_context(None)
        backend = await stage.open_backend(provider, context)
        players: list[Player] = []

        def make() -> object:
            if context.player is None:
                return provider.create_avatar(replace(context))
            players.append(Player(stage.clock))
            return provider.create_avatar(replace(context, player=players[-1]))

        user = await scene.audience.join()
        role = agent.Role(scene.session, scene.room, make)
        role.listen()
        await role.swap()
        await scene.start_session(tail_before=False, record=True)
        listened: list[bool] = []
        assert scene.session.output.audio is not None
        scene.session.output.audio.on(
            "playback_finished", lambda event: listened.append(event.interrupted)
        )
        hummed = [bytes(frame.data) async for frame in agent.hum(SENTENCE)]
        speech = scene.session.say(SENTENCE, audio=agent.hum(SENTENCE))
        await stage.clock.sleep(1.5)
        called = await example.caller.agent_in(user)
        answer = await user.local_participant.perform_rpc(
            destination_identity=called.identity, method="swap_avatar", payload=""
        )
        await speech
        await role.aclose()
        workers = list(backend.workers)
        heard = [b"".join(bytes(each.pcm) for each in player.heard) for player in players]
        return ScenarioRun(
            answers=[answer],
            hummed=b"".join(hummed),
            heard=heard or [worker.pcm for worker in workers],
            transcript="".join(scene.audience.transcript),
            recorded=await agent_channel_seconds(scene),
            listened=listened,
            left=[str(worker.identity) for worker in workers if worker.in_room],
        )


@pytest.mark.needs("livekit-agents>1.8.0")
@pytest.mark.parametrize("transport", TRANSPORTS)
def test_the_example_goes_on_through_a_swap(
    tmp_path: Path, transport: PluginTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both avatars together are sent the whole sentence; transcript, recording, listeners go on."""
    name = f"example-{transport}"
    example = plugin(tmp_path, name, transport, monkeypatch)
    played = LoopbackRunner().run(lambda stage: play(stage, example))
    identity = "agent" if transport == "local" else f"{name}-avatar-"
    assert played.answers[0].startswith(identity)
    first, second = played.heard
    assert first
    assert second
    assert first + second == played.hummed
    assert len(played.hummed) == round(SECONDS * 24000) * 2
    assert played.transcript == SENTENCE
    assert played.recorded == pytest.approx(SECONDS, abs=0.5)
    assert played.listened == [False]
    assert played.left == []


class SlowAvatar:
    """An avatar that takes longer to start than an RPC has time."""

    def __init__(self, made: list[SlowAvatar]) -> None:
        self.avatar_identity = f"slow-{len(made)}"
        self.speaks = False
        made.append(self)

    async def start(self, session: object, room: object) -> None:
        """Wait for the vendor."""
        await asyncio.sleep(12)
        self.speaks = True

    async def aclose(self) -> None:
        """End it."""
        self.speaks = False


def test_a_swap_of_the_example_outlives_its_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller's time is up before the avatar has started; whoever calls next gets that one."""
    example = plugin(tmp_path, "example-slow", "bytestream", monkeypatch)
    made: list[SlowAvatar] = []

    async def ask_twice(stage: Stage) -> str:
        async with open_scene(stage, example.provider) as scene:
            user = await scene.audience.join()
            role = example.agent.Role(scene.session, scene.room, lambda: SlowAvatar(made))
            role.listen()

            async def ask() -> str:
                return await user.local_participant.perform_rpc(
                    destination_identity="agent", method="swap_avatar", payload=""
                )

            with pytest.raises(rtc.RpcError) as caught:
                await ask()
            assert caught.value.code == rtc.RpcError.ErrorCode.RESPONSE_TIMEOUT
            answer = await ask()
            assert [avatar.speaks for avatar in made] == [True]
            await role.aclose()
            return answer

    assert LoopbackRunner().run(ask_twice) == "slow-0"
    assert [avatar.speaks for avatar in made] == [False]


async def speak_to(stage: Stage, example: Example, breaks: str) -> list[bool]:
    """Speak twice and interrupt it, while a method of the renderer fails; what became of it."""
    async with open_scene(stage, example.provider) as scene:
        local: Any = example.provider.create_avatar(
            replace(scene.adapter_context(None), player=Player(stage.clock))
        )

        def broken(*_: object) -> None:
            raise RuntimeError("no graphics card")

        setattr(local._renderer, breaks, broken)
        await scene.audience.join()
        await local.start(scene.session, scene.room)
        await scene.start_session(tail_before=False)
        ended: list[bool] = []
        assert scene.session.output.audio is not None
        scene.session.output.audio.on(
            "playback_finished", lambda event: ended.append(event.interrupted)
        )
        for _ in range(2):
            speech = scene.session.say(SENTENCE, audio=example.agent.hum(SENTENCE))
            await stage.clock.sleep(1.0)
            speech.interrupt()
            await speech
        await local.aclose()
        return ended


@pytest.mark.needs("livekit-agents>=1.6.1")
@pytest.mark.parametrize("breaks", ["push_audio", "clear_buffer"])
def test_a_renderer_that_fails_hangs_nothing(
    tmp_path: Path, breaks: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Speech completes with a renderer inside the process that raises whatever it likes."""
    name = f"broken-{breaks.replace('_', '-')}"
    example = plugin(tmp_path, name, "local", monkeypatch)
    assert LoopbackRunner().run(lambda stage: speak_to(stage, example, breaks)) == [True, True]
