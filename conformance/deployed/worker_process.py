"""A worker that is a command: started with a room's URL and token, ended with the scenario."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import tempfile

from conformance.errors import UsageError

GRACE = 3.0
"""Seconds that a worker has to end after SIGTERM."""
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

    The command finds them in ``LIVEKIT_URL`` and ``LIVEKIT_TOKEN``. Raises `UsageError` when there
    is no such program.
    """

    def __init__(self, command: tuple[str, ...], url: str, token: str) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (closed by end)
        own = ("LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
        inherited = {name: value for name, value in os.environ.items() if name not in own}
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**inherited, "LIVEKIT_URL": url, "LIVEKIT_TOKEN": token},
            )
        except OSError as error:
            self._log.close()
            raise UsageError(
                f"--worker {shlex.join(command)}: {error.strerror or error}: give a command that "
                "starts your worker from this directory"
            ) from None

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
        for how in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE)
                if how is signal.SIGKILL:
                    break
        self._log.close()


__all__ = ["WorkerProcess", "parsed"]
