"""Failures of a provider's code that nobody gets to see: in tasks, callbacks and threads."""

from __future__ import annotations

import asyncio
import gc
import logging
import threading
import traceback
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from conformance.errors import KitError, exception_text
from conformance.stage.network.event_loop import NetworkedLoop

from .log_records import records_handed_to

if TYPE_CHECKING:
    from .scene import Scene

_EMITTER = "failed to emit event"
"""How the room's SDK begins the record of a listener that has raised."""


class UnseenFailures:
    """What of the provider's code fails while it is watched, and no caller is told of."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._found: dict[str, None] = {}
        self._tasks: weakref.WeakSet[asyncio.Task[Any]] = weakref.WeakSet()

    def found(self) -> list[str]:
        """What has failed so far, in words; a task that nobody asks any more counts as well."""
        gc.collect()  # a task says that its exception was never retrieved when it is collected
        for task in list(self._tasks):
            failed = task.done() and not task.cancelled() and getattr(task, "_log_traceback", False)
            if failed and (error := task.exception()) is not None:
                self._note("a task", error)
        return list(self._found)

    def new_task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> Any:
        """Make a task, as a factory of tasks does."""
        task = asyncio.Task(coroutine, loop=loop, **options)
        self._tasks.add(task)
        return task

    def unhandled(self, context: Mapping[str, Any]) -> None:
        """Take what the loop is told that nobody has handled."""
        if (error := context.get("exception")) is not None:
            self._note(
                "a task" if "future" in context or "task" in context else "a callback", error
            )

    def of_thread(self, failure: threading.ExceptHookArgs) -> None:
        """Take what has ended a thread."""
        if failure.exc_value is not None:
            self._note("a thread", failure.exc_value)

    def logged(self, record: logging.LogRecord) -> None:
        """Take what a listener of the room or the session has raised."""
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and record.getMessage().startswith(_EMITTER):
            self._note("a listener", error)

    def _note(self, where: str, error: BaseException) -> None:
        classes = {type(avatar.instance).__module__ for avatar in self._scene.avatars}
        modules = (self._scene.provider.module, *classes)
        own = [
            frame
            for frame, _ in traceback.walk_tb(error.__traceback__)
            if str(frame.f_globals.get("__name__", "")).startswith(modules)
        ]
        if own:
            code = own[-1].f_code
            place = f"{getattr(code, 'co_qualname', code.co_name)}, line {own[-1].f_lineno}"
            what = " ".join(exception_text(error).split())[:160]
            self._found.setdefault(f"{where} ended with {what} ({place})")


@contextmanager
def watching(scene: Scene) -> Iterator[UnseenFailures]:
    """Watch for what fails unseen of the scene's provider, from now on and for a while."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, NetworkedLoop):
        raise KitError("failures are watched on the loops of the kit's stages alone")
    unseen = UnseenFailures(scene)

    factory, hook, told = loop.get_task_factory(), threading.excepthook, loop.on_unhandled
    loop.set_task_factory(unseen.new_task)
    loop.on_unhandled = unseen.unhandled
    threading.excepthook = unseen.of_thread
    try:
        with records_handed_to(unseen.logged, logging.ERROR):
            yield unseen
    finally:
        threading.excepthook = hook
        loop.on_unhandled = told
        loop.set_task_factory(factory)
