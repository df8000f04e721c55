"""The command of a worker that is judged alone."""

from __future__ import annotations

import sys

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
    with pytest.raises(UsageError, match="no-such-worker: No such file or directory: give a"):
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
