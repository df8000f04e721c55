"""Watching what is bound to an AgentOutput, by whichever way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from livekit.agents.voice import io

from .release import version


@contextmanager
def watch_bindings(output: io.AgentOutput) -> Iterator[list[str]]:
    """Collect, in words, every binding that is made on ``output`` for the moment.

    Both ways count: the assignment of ``output.audio``, and the host's own swap point.
    """
    bindings: list[str] = []
    plain = type(output)
    depth = 0

    def assign(self: Any, sink: io.AudioOutput | None) -> None:
        nonlocal depth
        if not depth and sink is not plain.audio.fget(self):  # type: ignore[attr-defined]
            bindings.append(f"output.audio = {type(sink).__name__}")
        plain.audio.fset(self, sink)  # type: ignore[attr-defined]

    def replace(self: Any, sink: io.AudioOutput) -> None:
        nonlocal depth
        bindings.append(f"output.replace_audio_tail({type(sink).__name__})")
        depth += 1
        try:
            plain.replace_audio_tail(self, sink)  # type: ignore[attr-defined,unused-ignore]
        finally:
            depth -= 1

    members: dict[str, Any] = {"audio": property(plain.audio.fget, assign)}  # type: ignore[attr-defined]
    if has_swap_call():
        members["replace_audio_tail"] = replace
    output.__class__ = type("WatchedOutput", (plain,), members)
    try:
        yield bindings
    finally:
        output.__class__ = plain


def watch_tail_calls(
    output: io.AgentOutput, taken: Callable[[io.AgentOutput, io.AudioOutput | None], bool]
) -> None:
    """Ask ``taken`` at every binding that is made on ``output``, and leave it undone if so.

    Both of the host's ways count: the assignment of ``output.audio``, and its own swap call.
    """
    plain = type(output)
    if getattr(plain, "tail_calls_are_watched", False):
        return

    def assign(self: Any, sink: io.AudioOutput | None) -> None:
        if not taken(self, sink):
            plain.audio.fset(self, sink)  # type: ignore[attr-defined]

    def replace(self: Any, sink: io.AudioOutput) -> None:
        if not taken(self, sink):
            plain.replace_audio_tail(self, sink)  # type: ignore[attr-defined,unused-ignore]

    members: dict[str, Any] = {
        "audio": property(plain.audio.fget, assign),  # type: ignore[attr-defined]
        "tail_calls_are_watched": True,
    }
    if has_swap_call():
        members["replace_audio_tail"] = replace
    output.__class__ = type(plain.__name__, (plain,), members)


class NoSwapCall(Exception):
    """This livekit-agents cannot exchange the tail of a chain."""


def has_swap_call() -> bool:
    """Whether this host can exchange the tail of a chain and keep the wrappers above it."""
    return hasattr(io.AgentOutput, "replace_audio_tail")


def replace_tail(output: io.AgentOutput, sink: io.AudioOutput) -> None:
    """Bind ``sink`` by the host's swap call; raises `NoSwapCall`, in one line, without one."""
    if not has_swap_call():
        raise NoSwapCall(
            f"livekit-agents {version()} has no swap call (AgentOutput.replace_audio_tail, from "
            "1.6.1 on): a new tail replaces the wrappers"
        )
    output.replace_audio_tail(sink)


def bind_tail(output: io.AgentOutput, sink: io.AudioOutput) -> None:
    """Bind ``sink`` as a plugin does: by the host's swap point, or by assignment without one."""
    if has_swap_call():
        output.replace_audio_tail(sink)
    else:
        output.audio = sink
