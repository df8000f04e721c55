"""What a process says while it is listened to, wherever it says it.

Log records of every logger, warnings, both output streams down to their file descriptors, the names
of tasks and threads, and what child processes are given.
"""

from __future__ import annotations

import asyncio
import io
import logging
import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TextIO

_LOUD = ("", "livekit", "livekit.plugins")
"""The loggers that are heard from DEBUG on; the root is the one without a name."""

_CHILDREN: Mapping[str, tuple[int, int]] = {
    "subprocess.Popen": (1, 3),
    "os.posix_spawn": (1, 2),
    "os.spawn": (2, 3),
    "os.exec": (1, 2),
    "os.system": (0, -1),
}
"""Audit events of a child process: where their arguments have its words and its environment."""


@dataclass
class Disclosures:
    """What was said, each with the place: ``("a log record of acme", "...")``."""

    said: list[tuple[str, str]] = field(default_factory=list)
    tasks: list[asyncio.Task[Any]] = field(default_factory=list)

    def note(self, where: str, text: str) -> None:
        """Add what was said somewhere."""
        self.said.append((where, text))


@contextmanager
def listening() -> Iterator[Disclosures]:
    """Listen for the moment; all that was said is there when it is over."""
    heard = Disclosures()
    with ExitStack() as stack:
        for listen in (_logs, _warnings, _streams, _tasks, _child_processes):
            stack.enter_context(listen(heard))
        yield heard


@contextmanager
def _logs(heard: Disclosures) -> Iterator[None]:
    """Every record that a logger takes, whether it propagates or not."""
    plain = logging.Logger.callHandlers

    def call_handlers(self: logging.Logger, record: logging.LogRecord) -> None:
        extra = " ".join(_text(value) for value in list(vars(record).values()))
        heard.note(f"a log record of {record.name}", f"{_text(record.getMessage)} {extra}")
        plain(self, record)

    loggers = [logging.getLogger(name) for name in _LOUD]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    # a handler on the root would miss loggers that do not propagate: the method is exchanged
    logging.Logger.callHandlers = call_handlers  # type: ignore[method-assign]
    try:
        yield
    finally:
        logging.Logger.callHandlers = plain  # type: ignore[method-assign]
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _text(value: object) -> str:
    """A value in words, or nothing where its own code raises."""
    try:
        return str(value()) if callable(value) else str(value)
    except Exception:  # an object of anybody's
        return ""


@contextmanager
def _warnings(heard: Disclosures) -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        plain = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
            heard.note(f"a warning ({category.__name__})", str(message))
            plain(message, category, *place, **more)

        warnings.showwarning = show
        try:
            yield
        finally:
            warnings.showwarning = plain


class _Tee(io.TextIOBase):
    """Writes to a stream, and keeps what was written."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.written: list[str] = []

    def write(self, text: str) -> int:
        self.written.append(text)
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def _streams(heard: Disclosures) -> Iterator[None]:
    """Both streams, as Python has them and as file descriptors; what is written goes on there."""
    with ExitStack() as stack:
        for number, name in ((1, "stdout"), (2, "stderr")):
            plain = getattr(sys, name)
            tee = _Tee(plain)
            setattr(sys, name, tee)
            stack.callback(_restore, heard, name, plain, tee)
            stack.enter_context(_descriptor(heard, number, name))
        yield


def _restore(heard: Disclosures, name: str, plain: TextIO, tee: _Tee) -> None:
    setattr(sys, name, plain)
    heard.note(name, "".join(tee.written))


@contextmanager
def _descriptor(heard: Disclosures, number: int, name: str) -> Iterator[None]:
    try:
        before = os.dup(number)
    except OSError:  # it is closed: nobody can write to it
        yield
        return
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), number)
        try:
            yield
        finally:
            os.dup2(before, number)
            os.close(before)
            file.seek(0)
            written = file.read()
            if written:
                os.write(number, written)
            heard.note(name, written.decode("utf-8", "replace"))


@contextmanager
def _tasks(heard: Disclosures) -> Iterator[None]:
    """The names that tasks and threads have been given by the end."""
    loop = asyncio.get_running_loop()
    before = loop.get_task_factory()

    def make(loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> Any:
        factory: Callable[..., Any] = before or (lambda on, c, **o: asyncio.Task(c, loop=on, **o))
        task = factory(loop, coroutine, **options)
        heard.tasks.append(task)
        return task

    loop.set_task_factory(make)
    try:
        yield
    finally:
        loop.set_task_factory(before)
        for task in heard.tasks:
            heard.note("the name of a task", task.get_name())
        for thread in threading.enumerate():
            heard.note("the name of a thread", thread.name)
        heard.tasks.clear()


_listeners: list[Disclosures] = []
_installed = False


@contextmanager
def _child_processes(heard: Disclosures) -> Iterator[None]:
    """What children are given: an audit hook cannot be taken out again, so there is one."""
    global _installed
    if not _installed:
        sys.addaudithook(_on_event)
        _installed = True
    _listeners.append(heard)
    try:
        yield
    finally:
        _listeners.remove(heard)


def _on_event(event: str, args: tuple[Any, ...]) -> None:
    if not _listeners or event not in _CHILDREN:
        return
    words, environment = _CHILDREN[event]
    _listeners[-1].note("the arguments of a child process", _words(args[words]))
    given = args[environment] if environment >= 0 else None
    if given is not None:
        _listeners[-1].note("the environment of a child process", _words(_added(given)))


def _added(environment: Mapping[Any, Any]) -> list[str]:
    """What a child is given beyond what the application has put into its environment itself."""
    own = {os.fsencode(name): os.fsencode(value) for name, value in os.environ.items()}
    pairs = ((os.fsencode(n), os.fsencode(v)) for n, v in dict(environment).items())
    return [f"{os.fsdecode(n)}={os.fsdecode(v)}" for n, v in pairs if own.get(n) != v]


def _words(value: Any) -> str:
    if isinstance(value, str | bytes | os.PathLike):
        return os.fsdecode(value)
    return " ".join(os.fsdecode(word) for word in value)


__all__ = ["Disclosures", "listening"]
