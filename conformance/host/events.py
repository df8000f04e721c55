"""Listeners of an event, and which outputs are swap points: the host keeps both to itself."""

from __future__ import annotations

from livekit import rtc
from livekit.agents.voice import io


def listeners(emitter: rtc.EventEmitter[str] | io.AudioOutput, event: str) -> tuple[object, ...]:
    """The functions that listen to ``event``, in order of registration."""
    events = getattr(emitter, "_events", {})
    return tuple(events.get(event, ()))


def listener_counts(emitter: object) -> dict[str, int]:
    """How many functions listen to each event of ``emitter``."""
    events = getattr(emitter, "_events", {})
    return {str(event): len(functions) for event, functions in events.items() if functions}


def is_swap_point(output: io.AudioOutput) -> bool:
    """Whether ``output`` is the host's own swap point."""
    proxy = getattr(io, "_AudioSinkProxy", None)
    return proxy is not None and isinstance(output, proxy)
