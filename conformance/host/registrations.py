"""Registrations that an avatar can leave in the host's objects, by name and origin."""

from __future__ import annotations

from collections import Counter
from typing import Any

from livekit import rtc
from livekit.agents import AgentSession


def origin(function: object) -> str:
    """The module and qualified name of a function, as a reader would look for it."""
    inner = getattr(function, "__func__", function)
    module = getattr(inner, "__module__", type(function).__module__)
    name = getattr(inner, "__qualname__", type(function).__qualname__)
    return f"{module}:{name}"


def residue(room: rtc.Room, session: AgentSession[Any]) -> Counter[str]:
    """The listeners, call handlers and stream handlers that are registered now."""
    found: Counter[str] = Counter()
    for label, emitter in (("room", room), ("session", session)):
        for event, functions in getattr(emitter, "_events", {}).items():
            for function in functions:
                found[f"{label} listener for {event!r}: {origin(function)}"] += 1
    if room.isconnected():
        handlers = getattr(room.local_participant, "_rpc_handlers", {})
        for method, function in handlers.items():
            found[f"RPC handler for {method!r}: {origin(function)}"] += 1
    return found
