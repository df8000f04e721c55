"""A judged process is ended with all that it started."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from conformance.certificate.process_tree import run_whole

ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Linux has subreapers")

LEAVES = """
import os, subprocess, sys
child = subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(600)"], start_new_session={session}
)
print(child.pid, flush=True)
os._exit(3)
"""


def runs(pid: int) -> bool:
    """Whether a process is there, and no zombie."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text("utf-8")
    except OSError:
        return False


@ON_LINUX
@pytest.mark.parametrize("session", [False, True])
def test_a_child_that_outlives_the_judged_process_is_ended(tmp_path: Path, session: bool) -> None:
    """A child that keeps the output open, or has a session of its own, is not waited for."""
    heard: list[str] = []
    program = LEAVES.format(session=session)
    code = run_whole(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=dict(os.environ),
        hear=heard.append,
        seconds=60,
    )
    assert code == 3
    (pid,) = heard
    assert not runs(int(pid))


@ON_LINUX
def test_a_call_that_is_interrupted_ends_the_process(
    tmp_path: Path, heeds_interruptions: None
) -> None:
    """What ends the command, SIGTERM say, ends the judged process with it."""
    pids: list[int] = []

    def hear(line: str) -> None:
        pids.append(int(line))
        os.kill(os.getpid(), 2)

    program = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
    with pytest.raises(KeyboardInterrupt):
        run_whole(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env=dict(os.environ),
            hear=hear,
            seconds=60,
        )
    assert not runs(pids[0])


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    """The judged process has a limit."""
    code = run_whole(
        [sys.executable, "-c", "import time; time.sleep(600)"],
        cwd=tmp_path,
        env=dict(os.environ),
        hear=lambda line: None,
        seconds=0.1,
    )
    assert code != 0
