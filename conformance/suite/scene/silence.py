"""Speech that never reaches an avatar: whether it is so, and what the plugin is waiting for."""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

from livekit import rtc

from conformance import host
from conformance.endpoint.capture import Capture
from conformance.results.outcomes import Finding

if TYPE_CHECKING:
    from .scene import Scene

SPEECH_ARRIVES = "speech reaches the avatar"
"""What is expected where no speech ever does."""

_FRAMES = ("cr_frame", "gi_frame", "ag_frame")
_AWAITED = ("cr_await", "gi_yieldfrom", "ag_await")

_HINT = (
    "where the vendor's own avatar sends what is waited for, give the adapter an avatar_worker() "
    "that does; else do not wait for it"
)


def nothing_heard(scene: Scene) -> bool:
    """Whether the agent has spoken with an avatar's tail bound, and no avatar got any of it."""
    bound = any(avatar.tail is not None for avatar in scene.avatars)
    return scene.spoken_samples > 0 and bound and not any(avatar.pcm for avatar in scene.avatars)


def silence(scene: Scene) -> Finding:
    """The finding for speech that never reached an avatar, with what the plugin waits for."""
    modules = {scene.provider.module, *(type(a.instance).__module__ for a in scene.avatars)}
    waits = list(dict.fromkeys(_waits(tuple(modules))))
    listeners = list(dict.fromkeys(_listeners(scene, tuple(modules))))
    words = [*waits[:3], *listeners[:3]] or ["nothing in it waits: it may have dropped the audio"]
    return Finding(
        SPEECH_ARRIVES,
        f"no speech ever reached the avatar; of the plugin, {'; '.join(words)}",
        hint=_HINT if waits or listeners else "send what capture_frame() is given to the avatar",
        at=scene.clock.now(),
    )


def _waits(modules: tuple[str, ...]) -> Iterator[str]:
    for task in sorted(asyncio.all_tasks(), key=asyncio.Task.get_name):
        frames = list(_suspended(task))
        own = [f for f in frames if str(f.f_globals.get("__name__", "")).startswith(modules)]
        if own and task is not asyncio.current_task():
            name = getattr(own[-1].f_code, "co_qualname", own[-1].f_code.co_name)
            module = own[-1].f_globals["__name__"]
            yield f"{module}:{name}, line {own[-1].f_lineno}, waits for {_awaited(frames)}"


def _suspended(task: asyncio.Task[Any]) -> Iterator[FrameType]:
    """The frames of a task, outermost first; those of a capture that the swap point drives too."""
    step: Any = task.get_coro()
    while step is not None:
        frame = next((f for f in (getattr(step, n, None) for n in _FRAMES) if f is not None), None)
        if frame is not None:
            yield frame
        following: Any = (getattr(step, name, None) for name in _AWAITED)
        step = next((each for each in following if each is not None), None)
        if frame is not None and isinstance(frame.f_locals.get("self"), Capture):
            step = _driven_by(frame.f_locals["self"])


def _driven_by(capture: Capture) -> Any:
    # What `__await__()` of a coroutine returns shows it to nobody but the garbage collector.
    held = gc.get_referents(*vars(capture).values())
    return next((each for each in held if inspect.iscoroutine(each)), None)


def _awaited(frames: list[FrameType]) -> str:
    for frame in frames:
        if frame.f_code.co_name == "wait_for_track_publication":
            audio = frame.f_locals.get("kind") == rtc.TrackKind.KIND_AUDIO
            return f"{'an audio' if audio else 'a video'} track of the avatar"
    module = str(frames[-1].f_globals.get("__name__", ""))
    if module == "asyncio.queues":
        return "something in a queue"
    if module == "asyncio.locks":
        return "an event that somebody is to set"
    return "time to pass" if frames[-1].f_code.co_name == "sleep" else "something to be done"


def _listeners(scene: Scene, modules: tuple[str, ...]) -> Iterator[str]:
    for name in host.residue(scene.room, scene.session):
        what, _, function = name.rpartition(": ")
        if function.startswith(modules) and what.startswith("room listener"):
            yield f"a {what} ({function})"
