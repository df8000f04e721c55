"""Runs a command and ends it when this process's own parent is gone.

``python -m conformance.live.parent_watchdog COMMAND ARGUMENT...`` starts the command and waits
until it exits or until standard input reaches its end. Whoever started the watchdog holds the other
end of that pipe, so the command ends with it even when it is killed and can clean up nothing.

Where the watchdog leads a process group of its own, all that the command has started in it ends
too: asked first, then by force.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

STDIN = 0
GRACE = 3.0
"""Seconds between asking the command to end and killing it."""


def main(command: list[str]) -> int:
    """Run ``command`` to its end or to the end of standard input; returns its exit code.

    That is 128 and the signal's number, as a shell has it, for one that a signal has ended.
    """
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    leads = os.getpgrp() == os.getpid()
    stopping = threading.Event()

    def stop() -> None:
        if child.poll() is not None:
            return
        stopping.set()
        if leads:
            os.killpg(0, signal.SIGTERM)
        else:
            child.terminate()
        try:
            child.wait(GRACE)
        except subprocess.TimeoutExpired:
            child.kill()
        if leads:
            os.killpg(0, signal.SIGKILL)

    def watch() -> None:
        # A buffered read would hold a lock that the interpreter wants at its end.
        while os.read(STDIN, 1024):
            pass
        stop()

    def asked(signum: int, frame: object) -> None:
        if not stopping.is_set():
            child.terminate()

    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()
    code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
