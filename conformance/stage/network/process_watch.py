"""What leaves the process unseen by its own sockets: child processes, and clients in native code.

An audit hook can never be taken out again, so there is one for the process, which does nothing
while no network is entered.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from .native_sockets import PYTHONS

_STARTS_A_CHILD = {
    "subprocess.Popen",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "os.fork",
    "os.forkpty",
}
_NATIVE = "grpc"
_CHANNELS = ("grpc._channel", "grpc.aio._channel")


_SOMEBODY = frozenset({0})


def living_children() -> frozenset[int]:
    """The child processes of this one that are alive, by their ids.

    Where the system tells no ids, 0 stands for all of them; where it tells nothing, there are none.
    """
    lists = []
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):  # the thread has ended meanwhile
            lists.append(path.read_text("ascii"))
    if lists:
        return frozenset(pid for pid in map(int, " ".join(lists).split()) if _lives(pid))
    if not hasattr(os, "waitid"):
        return frozenset()
    try:
        exited = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return frozenset()
    return _SOMEBODY if exited is None else frozenset()


def _lives(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except OSError:
        return False
    return not stat.rpartition(")")[2].startswith(" Z")  # the name, in parentheses, may be any


class ProcessWatch:
    """While entered, is told of child processes, and of the targets of gRPC channels.

    ``on_child`` gets a program's name. ``on_channel`` gets a target like ``dns:///host:443``, and
    raises what the client that opens it shall get.
    """

    def __init__(self, on_child: Callable[[str], None], on_channel: Callable[[str], None]) -> None:
        self._on_child = on_child
        self._on_channel = on_channel
        self._stack = ExitStack()

    def __enter__(self) -> ProcessWatch:
        _install()
        _watches.append(self)
        if _NATIVE in sys.modules:
            self.watch_channels()
        return self

    def __exit__(self, *exc_info: object) -> None:
        _watches.remove(self)
        self._stack.close()

    def child(self, event: str, args: tuple[Any, ...]) -> None:
        """A child process is about to be started."""
        program: Any = "a fork of this process"
        if event not in ("os.fork", "os.forkpty"):
            program = args[1] if event == "os.spawn" else args[0]
        self._on_child(os.path.basename(os.fsdecode(program)) if program else "a program")  # noqa: PTH119

    def watch_channels(self) -> None:
        """Be told of gRPC channels, now that there can be some."""
        for name in _CHANNELS:
            channel = importlib.import_module(name).Channel
            real = channel.__init__
            self._stack.callback(setattr, channel, "__init__", real)
            channel.__init__ = self._telling(real)

    def _telling(self, real: Callable[..., None]) -> Callable[..., None]:
        def init(channel: Any, target: str, *args: Any, **options: Any) -> None:
            self._on_channel(target)
            real(channel, target, *args, **options)

        return init


_watches: list[ProcessWatch] = []
_installed = False
_busy = False


def _install() -> None:
    global _installed
    if not _installed:
        sys.addaudithook(_hear)
        _installed = True


def _hear(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.__new__":
        PYTHONS.add(args[0])
    if not _watches or _busy:
        return
    if event in _STARTS_A_CHILD:
        with _undisturbed():
            _watches[-1].child(event, args)
    elif event == "import" and args[0] == _NATIVE:
        with _undisturbed():  # it is imported here, and found to be there by whoever wanted it
            importlib.import_module(_NATIVE)
            _watches[-1].watch_channels()


@contextmanager
def _undisturbed() -> Iterator[None]:
    global _busy
    _busy = True
    try:
        yield
    finally:
        _busy = False
