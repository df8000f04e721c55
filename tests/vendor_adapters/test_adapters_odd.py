from __future__ import annotations

import asyncio
import json
import struct
import subprocess
import sys
from datetime import date
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from conformance.loopback.stage import LoopbackRunner
from conformance.plugin import hookimpl
from conformance.plugin.discovery import bundled_names
from conformance.plugin.provider import Provider
from conformance.stage.interface import Stage
from conformance.suite.scene.scene import Scene, open_scene
from vendor_adapters.keyframe import _Records


def installed(name: str, adapter: Any = None) -> Provider:
    """The provider of a bundled module, or of a changed one; skips without its plugin."""
    adapter = adapter or import_module(f"vendor_adapters.{name}")
    provider = Provider(adapter, label=name, origin="bundled", source="bundled")
    if provider.installed_version is None:
        pytest.skip(f"{provider.manifest.distribution} is not installed")
    return provider


def play(provider: Provider, scenario: Any) -> None:
    """Play a scenario on the loopback stage, the session started."""

    async def on_stage(stage: Stage) -> None:
        async with open_scene(stage, provider) as scene:
            await scene.start_session()
            await scenario(scene)

    LoopbackRunner().run(on_stage)


def record(kind: int, payload: bytes) -> bytes:
    """A record of a framed stream."""
    return struct.pack("<BI", kind, len(payload)) + payload


def read(*chunks: bytes) -> bytes:
    """The audio of a framed stream that came in these chunks."""

    class Reader:
        info = SimpleNamespace(attributes={"kfl.framing": "1"})

        async def __anext__(self) -> bytes:
            if not remaining:
                raise StopAsyncIteration
            return remaining.pop(0)

    remaining = list(chunks)

    async def collect() -> bytes:
        return b"".join([pcm async for pcm in _Records(Reader())])  # type: ignore[arg-type]

    return asyncio.run(collect())


def test_a_framed_stream_is_taken_apart_wherever_its_chunks_end() -> None:
    """The audio of all records comes out in order, and cues are left out."""
    cue = record(2, json.dumps({"emotion": "happy", "at": 2}).encode())
    stream = record(1, b"\x01\x02\x03\x04") + cue + record(1, b"\x05\x06")

    for size in (1, 3, 7, len(stream)):
        chunks = [stream[start : start + size] for start in range(0, len(stream), size)]
        assert read(*chunks) == b"\x01\x02\x03\x04\x05\x06"


def test_a_record_of_an_unknown_type_is_an_error() -> None:
    """What is no record is not played as noise."""
    with pytest.raises(ValueError, match="unknown type 9"):
        read(record(9, b"\x00"))


def test_keyframes_older_model_is_heard_too() -> None:
    """Told of a model without framing, the plugin sends plain audio, which is heard as it is."""
    keyframe = import_module("vendor_adapters.keyframe")
    older = ModuleType("older")
    vars(older).update(vars(keyframe))

    @hookimpl
    def vendor_backend(context: Any) -> Any:
        api = keyframe.vendor_backend(context)
        object.__setattr__(api.calls[0], "answer", {"model_id": "persona-1.5-live"})
        return api

    vars(older)["vendor_backend"] = vendor_backend

    async def speak(scene: Scene) -> None:
        avatar = await scene.started()
        speech = scene.say(1.0)
        await scene.spoken(speech)
        assert avatar.pcm == speech.pcm

    play(installed("keyframe", older), speak)


def test_runway_hangs_up_when_it_is_told_so_in_the_room() -> None:
    """Closing ends the session by the data message, without the call that cancels it."""

    async def hang_up(scene: Scene) -> None:
        avatar = await scene.started()
        await scene.close(avatar)
        await scene.clock.sleep(1.0)
        assert [session.ended_at is not None for session in avatar.backend.sessions] == [True]
        assert [request.call for request in avatar.backend.requests] == ["create session"]
        assert not avatar.workers[0].in_room

    play(installed("runway"), hang_up)


def test_avatartalk_is_two_participants() -> None:
    """One participant is seen and hears nothing; the other one is sent the audio."""

    async def speak(scene: Scene) -> None:
        avatar = await scene.started()
        speech = scene.say(1.0)
        await scene.spoken(speech)
        seen, listener = avatar.workers
        assert (seen.identity, listener.identity) == (avatar.identity, "listener")
        assert (seen.pcm, listener.pcm) == (b"", speech.pcm)

    play(installed("avatartalk"), speak)


def test_liveavatar_stops_its_session_when_the_agent_session_closes() -> None:
    """The vendor is told by the call that stops it, with the session's own token."""

    async def close(scene: Scene) -> None:
        avatar = await scene.started()
        await scene.session.aclose()
        await scene.clock.sleep(5.0)
        assert avatar.backend.requests[-1].call == "stop session"
        assert list(avatar.backend.request_violations) == []
        assert avatar.backend.sessions[0].ended_at is not None

    play(installed("liveavatar"), close)


def test_bithumans_sdk_is_stood_in_for_only_while_the_plugin_imports_it() -> None:
    """After the start ``bithuman`` is what it was before."""
    before = sys.modules.get("bithuman")

    async def start(scene: Scene) -> None:
        await scene.started()
        assert sys.modules.get("bithuman") is before

    play(installed("bithuman_local"), start)


def test_adapters_are_importable_without_livekit() -> None:
    """Listing providers imports neither the host nor a plugin."""
    names = [f"vendor_adapters.{name}" for name in bundled_names()]
    program = f"import sys, {', '.join(names)}; print('livekit' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.strip() == "False"


@pytest.mark.parametrize("name", bundled_names())
def test_every_deviation_says_where_and_how_to_mend_it(name: str) -> None:
    """Each has a place, an owner and a mend, holds for the judged version, and runs out."""
    provider = Provider(import_module(f"vendor_adapters.{name}"), label=name, origin="bundled")
    seen = set()

    for deviation in provider.known_deviations():
        assert deviation.reference.partition(":")[0].endswith(".py")
        assert deviation.reference in deviation.reason
        assert "to mend it, " in deviation.reason
        assert deviation.owner in (provider.manifest.distribution, "livekit-agents")
        assert deviation.expires == date(2027, 5, 31)
        for variant in deviation.variants or ("",):
            assert (deviation.requirement, variant) not in seen
            seen.add((deviation.requirement, variant))
