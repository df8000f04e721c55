"""The example of a new plugin: an agent gets another avatar in the middle of a sentence."""

from __future__ import annotations

import importlib
import importlib.util
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conformance.loopback.stage import LoopbackRunner
from conformance.plugin.manager import Provider
from conformance.scaffold.answers import Answers, PluginTransport
from conformance.scaffold.names import plugin_name
from conformance.scaffold.render import render_plugin
from conformance.stage import Stage
from conformance.suite.recording import agent_channel_seconds
from conformance.suite.scene import open_scene

SENTENCE = "While I say this, somebody may well give me another face."
SECONDS = 3.42
"""How long the example hums it."""


@dataclass
class Played:
    """What came of the sentence."""

    answers: list[str]
    heard: list[bytes]
    transcript: str
    recorded: float
    listened: list[bool]
    left: list[str]


def plugin(
    directory: Path, name: str, transport: PluginTransport, monkeypatch: pytest.MonkeyPatch
) -> tuple[Provider, ModuleType]:
    """A new plugin's adapter, and its example."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory / "cache"))
    made = render_plugin(Answers(plugin_name(name), transport=transport), directory / name)
    monkeypatch.syspath_prepend(str(made))
    module = name.replace("-", "_")
    adapter = importlib.import_module(f"livekit.plugins.{module}.conformance_adapter")
    spec = importlib.util.spec_from_file_location(
        f"{module}_example", made / "examples/swap_agent.py"
    )
    assert spec is not None
    assert spec.loader is not None
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    return Provider(adapter, label=name, origin="a test"), example


async def play(stage: Stage, provider: Provider, example: Any) -> Played:
    """Speak one sentence, and ask for another avatar in the middle of it."""
    async with open_scene(stage, provider) as scene:
        context = scene.adapter_context(None)
        backend = await stage.open_backend(provider, context)
        role = example.Role(
            scene.session, scene.room, lambda: provider.create_avatar(replace(context))
        )
        await role.swap()
        role.listen()
        await scene.start_session(tail_before=False, record=True)
        listened: list[bool] = []
        assert scene.session.output.audio is not None
        scene.session.output.audio.on(
            "playback_finished", lambda event: listened.append(event.interrupted)
        )
        user = await scene.audience.join()
        speech = scene.session.say(SENTENCE, audio=example.hum(SENTENCE))
        await stage.clock.sleep(1.5)
        answer = await user.local_participant.perform_rpc(
            destination_identity=scene.room.local_participant.identity,
            method="swap_avatar",
            payload="",
        )
        await speech
        await role.aclose()
        workers = list(backend.workers)
        return Played(
            answers=[answer],
            heard=[worker.pcm for worker in workers],
            transcript="".join(scene.audience.transcript),
            recorded=await agent_channel_seconds(scene),
            listened=listened,
            left=[str(worker.identity) for worker in workers if worker.in_room],
        )


@pytest.mark.parametrize("transport", ["bytestream", "websocket"])
def test_the_example_goes_on_through_a_swap(
    tmp_path: Path, transport: PluginTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both avatars together are sent the whole sentence; transcript, recording, listeners go on."""
    name = f"example-{transport}"
    provider, example = plugin(tmp_path, name, transport, monkeypatch)
    played = LoopbackRunner().run(lambda stage: play(stage, provider, example))
    assert played.answers[0].startswith(f"{name}-avatar-")
    first, second = played.heard
    assert first
    assert second
    assert len(first) + len(second) == round(SECONDS * 24000) * 2
    assert played.transcript == SENTENCE
    assert played.recorded == pytest.approx(SECONDS, abs=0.5)
    assert played.listened == [False]
    assert played.left == []
