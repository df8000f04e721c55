"""The command of a worker that is judged alone."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.deployed.worker_process import WorkerProcess, parsed
from conformance.errors import UsageError


def test_a_command_is_read_as_a_shell_reads_it() -> None:
    """Quotes keep words together."""
    assert parsed("python 'my worker.py' --fast") == ("python", "my worker.py", "--fast")


@pytest.mark.parametrize(
    ("command", "words"), [("", "--worker is empty"), ("python 'x", "No closing quotation")]
)
def test_a_command_that_is_none_is_one_line(command: str, words: str) -> None:
    """What was typed wrongly is said in one line."""
    with pytest.raises(UsageError, match=words):
        parsed(command)


def test_a_program_that_is_not_there_is_one_line() -> None:
    """A missing program is the user's to mend, and no traceback."""
    with pytest.raises(UsageError, match="there is no program 'no-such-worker': give a"):
        WorkerProcess(("no-such-worker",), "ws://127.0.0.1:1", "token")


def test_a_worker_is_given_room_and_token_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker has what a vendor's worker has: a URL and a token, and not the server's key."""
    monkeypatch.setenv("LIVEKIT_API_SECRET", "secret")
    names = "LIVEKIT_URL", "LIVEKIT_TOKEN", "LIVEKIT_API_SECRET"
    script = f"import os; print([os.environ.get(name) for name in {names}])"
    process = WorkerProcess((sys.executable, "-c", script), "ws://here", "a-token")
    process.wait()
    ended = process.ended
    process.end()
    assert "ended with 0: ['ws://here', 'a-token', None]" in ended


KIT = """
import sys
from conformance.deployed.worker_process import WorkerProcess
worker = WorkerProcess(("sh", "-c", sys.argv[1]), "ws://here", "a-token")
worker.wait()
"""
WORKER = "trap '' TERM; echo up > {there}; cat {gone}"


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
@pytest.mark.parametrize("how", ["terminate", "kill"])
def test_a_worker_ends_with_the_kit_that_started_it(tmp_path: Path, how: str) -> None:
    """A kit that is terminated or killed leaves no worker, nor what that has started."""
    there, gone = tmp_path / "there", tmp_path / "gone"
    os.mkfifo(there)
    os.mkfifo(gone)
    kit = subprocess.Popen([sys.executable, "-c", KIT, WORKER.format(there=there, gone=gone)])
    assert there.read_text() == "up\n"
    with gone.open("wb", buffering=0) as held:
        getattr(kit, how)()
        kit.wait()
        # The worker's child has the pipe's other end, which is an error once nobody has it.
        poll = select.poll()
        poll.register(held, 0)
        assert [event for _, event in poll.poll()] == [select.POLLERR]
