"""A worker that is a command: started with a room's URL and token, ended with the scenario."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

from conformance.errors import UsageError
from conformance.live import parent_watchdog

ENDING = parent_watchdog.GRACE + 2.0
"""Seconds after which a worker that was asked to end is ended by force, with its watchdog."""
LAST_LINES = 3


def parsed(command: str) -> tuple[str, ...]:
    """The words of ``command``; raises `UsageError` for one that has none or an open quote."""
    try:
        words = tuple(shlex.split(command))
    except ValueError as error:
        raise UsageError(f"--worker {command!r}: {error}") from None
    if not words:
        raise UsageError("--worker is empty: give the command that starts your worker")
    return words


class WorkerProcess:
    """A running worker, with everything that it started; ``url`` and ``token`` are of its room.

    The command finds them in ``LIVEKIT_URL`` and ``LIVEKIT_TOKEN``. It ends with this process, also
    when that is killed. Raises `UsageError` when there is no such program.
    """

    def __init__(self, command: tuple[str, ...], url: str, token: str) -> None:
        if shutil.which(command[0]) is None:
            raise UsageError(
                f"--worker {shlex.join(command)}: there is no program {command[0]!r}: give a "
                "command that starts your worker from this directory"
            )
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by end)
        own = ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
        inherited = {name: value for name, value in os.environ.items() if name not in own}
        self._process = subprocess.Popen(
            [sys.executable, "-m", parent_watchdog.__name__, *command],
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**inherited, "LIVEKIT_URL": url, "LIVEKIT_TOKEN": token},
        )

    @property
    def ended(self) -> str:
        """How it ended, with the last that it wrote; empty while it runs."""
        code = self._process.poll()
        if code is None:
            return ""
        self._log.seek(0)
        text = self._log.read().decode("utf-8", "replace")
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        return f"the worker's process ended with {code}: " + (
            " | ".join(lines[-LAST_LINES:]) or "it wrote nothing"
        )

    def wait(self) -> None:
        """Wait until it has ended by itself."""
        self._process.wait()

    def end(self) -> None:
        """End it: asked first, then by force. Does nothing where it has ended."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(ENDING)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._log.close()


__all__ = ["WorkerProcess", "parsed"]
