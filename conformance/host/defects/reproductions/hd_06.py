"""HD-06: the host has no call that replaces the audio output below its wrappers."""

from livekit.agents.voice import io

assert hasattr(io.AgentOutput, "replace_audio_tail"), (
    "a new output takes the place of the synchronizer and the recorder, and of every listener"
)
