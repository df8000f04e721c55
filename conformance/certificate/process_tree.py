"""Programs that are started with all that they start, and ended with all of it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

_SET_CHILD_SUBREAPER = 36
_LONGEST_LINE = 4096
_OUTPUT_ENDS = 2.0
_ENDING_TAKES = 5.0


def run_whole(
    command: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    hear: Callable[[str], None],
    seconds: float,
) -> int:
    """Run a program, hand each line of its output to ``hear``, and end all that it left running.

    Returns its exit code as soon as it has ended, whoever still holds its output; a program that
    takes longer than ``seconds`` is ended. What it started ends with it, also when this call is
    interrupted: its process group everywhere, and on Linux what has left that as well.
    """
    with _adopting_orphans() as strays:
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            encoding="utf-8",
            env=dict(env),
            errors="replace",
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            stdout=subprocess.PIPE,
        )
        reader = threading.Thread(target=_read, args=(process, hear), daemon=True)
        try:
            reader.start()
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()
        finally:
            _end_group(process)
            strays()
            if reader.ident is not None:
                reader.join(_OUTPUT_ENDS)


def _read(process: subprocess.Popen[str], hear: Callable[[str], None]) -> None:
    assert process.stdout is not None, "it was asked for"
    with suppress(ValueError, OSError), process.stdout:
        while line := process.stdout.readline(_LONGEST_LINE):
            hear(line.rstrip("\n"))


def _end_group(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.poll() is None:
        process.kill()
        process.wait()


@contextmanager
def _adopting_orphans() -> Iterator[Callable[[], None]]:
    """Become the parent of whatever loses its own meanwhile; yields what ends those processes."""
    if sys.platform != "linux" or not _set_subreaper(True):
        yield lambda: None
        return
    before = set(_children())

    def end() -> None:
        until = time.monotonic() + _ENDING_TAKES
        # Whoever is ended leaves its own children to this process: until none is left.
        while (strays := set(_children()) - before) and time.monotonic() < until:
            for pid in strays:
                with suppress(ProcessLookupError, ChildProcessError):
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)

    try:
        yield end
    finally:
        _set_subreaper(False)


def _set_subreaper(on: bool) -> bool:
    try:
        library = ctypes.CDLL(None, use_errno=True)
        return bool(library.prctl(_SET_CHILD_SUBREAPER, int(on), 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False


def _children() -> Iterator[int]:
    own = str(os.getpid())
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                # The name, in parentheses, may hold anything.
                fields = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
                if fields[1] == own:
                    yield int(entry.name)
