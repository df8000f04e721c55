"""bitHuman inside the process: the plugin renders the avatar with a runtime, which stands in here.

The native SDK is not needed: where the plugin imports it, it gets this module's runtime.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

from conformance.plugin import AdapterContext, hookimpl

from ._deviations.bithuman_local import known_deviations as known_deviations

SAMPLE_RATE = 16000
FPS = 25
BYTES_PER_FRAME = 2 * SAMPLE_RATE // FPS
WIDTH, HEIGHT = 16, 16


@hookimpl
def avatar_provider_manifest() -> dict[str, object]:
    """Declare bitHuman's local mode."""
    return {
        "name": "bithuman-local",
        "distribution": "livekit-plugins-bithuman",
        "avatar_session": "livekit.plugins.bithuman:AvatarSession",
        "exception": "livekit.plugins.bithuman:BitHumanException",
        "transport": "in-process",
        "sample_rate": SAMPLE_RATE,
        "hosts": [],
        "credentials": [
            {"name": "api_secret", "environment": "BITHUMAN_API_SECRET"},
            {"name": "model_path", "environment": "BITHUMAN_MODEL_PATH", "secret": False},
        ],
        "capabilities": {"playback_started": True, "restartable": True, "joins_room": False},
    }


@hookimpl
def create_avatar(context: AdapterContext) -> object:
    """Construct it."""
    from livekit.agents import NOT_GIVEN
    from livekit.plugins import bithuman

    return bithuman.AvatarSession(avatar_participant_identity=context.identity or NOT_GIVEN)


@hookimpl
async def bind_audio_endpoint(
    avatar: Any, agent_session: Any, room: Any, context: AdapterContext
) -> None:
    """Start it, with the stand-in where it imports the SDK."""
    with sdk(context):
        await avatar.start(agent_session, room=room)


@contextmanager
def sdk(context: AdapterContext) -> Iterator[None]:
    """Let ``from bithuman import AsyncBithuman`` give the stand-in for the moment."""

    async def create(*, model_path: str, api_secret: str, **_: object) -> Runtime:
        expected = (context.secret("model_path"), context.secret("api_secret"))
        if (model_path, api_secret) != expected:
            raise ValueError("bithuman: the model or the secret is not what the agent was given")
        return Runtime(context.player)

    stand_in = ModuleType("bithuman")
    stand_in.AsyncBithuman = SimpleNamespace(create=create)  # type: ignore[attr-defined]
    with mock.patch.dict(sys.modules, bithuman=stand_in):
        yield


@dataclass(frozen=True)
class AudioChunk:
    """The audio of one frame: 16 bit PCM, as bytes and as samples."""

    bytes: bytes
    array: Any
    sample_rate: int = SAMPLE_RATE


@dataclass(frozen=True)
class Frame:
    """What the runtime renders for one moment."""

    bgr_image: Any
    audio_chunk: AudioChunk | None
    end_of_speech: bool


class Runtime:
    """What the plugin uses of the SDK's runtime: frames by the clock, with the audio they show.

    ``player`` hears what it is given; None where nobody listens.
    """

    def __init__(self, player: Any) -> None:
        self.settings = SimpleNamespace(INPUT_SAMPLE_RATE=SAMPLE_RATE, FPS=FPS)
        self.transaction_id = "transaction-1"
        self._player = player
        self._segments: list[bytearray] = []
        self._complete = 0
        self._running = False

    def _regenerate_transaction_id(self) -> None:
        self.transaction_id = f"transaction-{int(self.transaction_id[12:]) + 1}"

    async def _initialize_token(self) -> None:
        """The secret was accepted when the runtime was made."""

    def get_first_frame(self) -> Any:
        """The picture before anything is said."""
        import numpy as np

        return np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)

    async def push_audio(self, data: bytes, sample_rate: int, last_chunk: bool = True) -> None:
        """Take audio of the segment that is being received."""
        if len(self._segments) == self._complete:
            self._segments.append(bytearray())
        self._segments[-1] += data
        if self._player is not None:
            self._player.push(data, sample_rate, 1)
        if last_chunk:
            await self.flush()

    async def flush(self) -> None:
        """The segment is complete."""
        self._complete = len(self._segments)
        if self._player is not None:
            self._player.end_segment()

    def interrupt(self) -> None:
        """Drop what has not been shown."""
        self._segments.clear()
        self._complete = 0
        if self._player is not None:
            self._player.clear()

    async def run(self) -> AsyncIterator[Frame]:
        """Render until it is stopped."""
        self._running = True
        image = self.get_first_frame()
        while self._running:
            audio, last = self._next_audio()
            yield Frame(image, audio, last)
            await asyncio.sleep(1 / FPS)

    def _next_audio(self) -> tuple[AudioChunk | None, bool]:
        import numpy as np

        if not self._segments:
            return None, False
        segment = self._segments[0]
        pcm = bytes(segment[:BYTES_PER_FRAME])
        del segment[:BYTES_PER_FRAME]
        last = not segment and self._complete > 0
        if last:
            self._segments.pop(0)
            self._complete -= 1
        return AudioChunk(pcm, np.frombuffer(pcm, dtype=np.int16)) if pcm else None, last

    async def stop(self) -> None:
        """Render no more."""
        self._running = False

    def cleanup(self) -> None:
        """Let go of the model."""
        self._running = False
