"""What the agent says in the demo, and how it sounds: tones in the rhythm of syllables."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import numpy as np
import numpy.typing
from livekit import rtc

SAMPLE_RATE = 24000
FRAME_SECONDS = 0.02
SECONDS_A_WORD = 0.32
AHEAD = 0.3
"""How far the audio runs ahead of its own time, in seconds: as far as a live model's would."""
LINES = (
    "I am the agent, and what you see is only my avatar.",
    "Press the button, and another avatar takes over in the middle of a sentence.",
    "My session, my transcript and my recording stay as they are.",
    "Only the end of the audio chain is exchanged.",
)
_PITCHES = (196.0, 220.0, 247.0, 262.0, 294.0)


async def spoken(line: str) -> AsyncIterator[rtc.AudioFrame]:
    """The audio of ``line`` in its own time: one tone for each word."""
    step = round(FRAME_SECONDS * SAMPLE_RATE)
    began = time.monotonic()
    said = 0.0
    for number, word in enumerate(line.split()):
        pcm = _tone(_PITCHES[(number + len(word)) % len(_PITCHES)])
        for begin in range(0, len(pcm), step):
            piece = pcm[begin : begin + step]
            await asyncio.sleep(max(0.0, began + said - AHEAD - time.monotonic()))
            yield rtc.AudioFrame(piece.tobytes(), SAMPLE_RATE, 1, len(piece))
            said += len(piece) / SAMPLE_RATE


def _tone(pitch: float) -> np.typing.NDArray[np.int16]:
    at = np.arange(round(SECONDS_A_WORD * SAMPLE_RATE)) / SAMPLE_RATE
    envelope = np.sin(np.pi * at / SECONDS_A_WORD) ** 2
    sound = np.sin(2 * np.pi * pitch * at) + 0.3 * np.sin(4 * np.pi * pitch * at)
    tone: np.typing.NDArray[np.int16] = (sound * envelope * 9000).astype(np.int16)
    return tone
