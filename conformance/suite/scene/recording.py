"""Reading the recording that the host's own recorder made."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from .scene import Scene

AGENT_CHANNEL = 1
_BLOCK = 480
_LOUD = 0.02


async def agent_channel_seconds(scene: Scene) -> float:
    """Close the session and say how many seconds of speech its recording has of the agent.

    None at all where the host has written no recording.
    """
    path = Path(scene.job.session_directory) / "audio.ogg"
    await scene.session.aclose()
    if not path.exists():
        return 0.0
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    if not frames:
        return 0.0
    channel = np.concatenate(frames, axis=1)[AGENT_CHANNEL]
    blocks = channel[: len(channel) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    loud = np.sqrt((blocks.astype(np.float64) ** 2).mean(axis=1)) > _LOUD
    return float(loud.sum() * _BLOCK / rate)
