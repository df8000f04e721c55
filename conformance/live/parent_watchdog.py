"""Runs a command and ends it when this process's own parent is gone.

``python -m conformance.live.parent_watchdog COMMAND ARGUMENT...`` starts the command and waits
until it exits or until standard input reaches its end. Whoever started the watchdog holds the other
end of that pipe, so the command ends with it even when it is killed and can clean up nothing.
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
    """Run ``command`` to its end or to the end of standard input; returns its exit code."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def stop() -> None:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(GRACE)
            except subprocess.TimeoutExpired:
                child.kill()

    def watch() -> None:
        # A buffered read would hold a lock that the interpreter wants at its end.
        while os.read(STDIN, 1024):
            pass
        stop()

    def asked(signum: int, frame: object) -> None:
        child.terminate()

    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()
    return child.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
