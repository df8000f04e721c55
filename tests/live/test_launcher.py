"""A LiveKit server of our own: found, started, awaited, and ended whatever happens."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conformance.live.launcher import LiveServer, ServerFailed, ServerMissing, find_server

ANSWERS = """\
import http.server, json, pathlib, sys
config = json.loads(pathlib.Path(sys.argv[sys.argv.index("--config") + 1]).read_text())
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"OK")
address = (config["bind_addresses"][0], config["port"])
http.server.HTTPServer(address, Handler).serve_forever()
"""


def _executable(directory: Path, source: str, name: str = "livekit-server") -> Path:
    path = directory / name
    path.write_text(f"#!{sys.executable}\n{source}", encoding="utf-8")
    path.chmod(0o755)
    return path


def _gone(pid: int, *, within: float = 10.0) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        try:
            os.killpg(pid, 0)
        except ProcessLookupError:
            return True
        _pause()
    return False


def _pause() -> None:
    """Let other processes get on."""
    subprocess.run([sys.executable, "-c", ""], check=True)


def test_named_server_wins_over_the_path(tmp_path: Path) -> None:
    """LIVEKIT_SERVER names the server, whatever is on PATH."""
    named = _executable(tmp_path, "", name="my-server")
    _executable(tmp_path, "")
    environ = {"LIVEKIT_SERVER": str(named), "PATH": str(tmp_path)}
    assert find_server(environ) == named


def test_server_is_found_on_the_path(tmp_path: Path) -> None:
    """Without LIVEKIT_SERVER it is livekit-server on PATH."""
    server = _executable(tmp_path, "")
    assert find_server({"PATH": str(tmp_path)}) == server


def test_missing_server_says_how_to_get_one(tmp_path: Path) -> None:
    """Where there is no server, one line names the ways to get one."""
    with pytest.raises(ServerMissing) as missing:
        find_server({"PATH": str(tmp_path)})
    message = str(missing.value)
    assert "\n" not in message
    for way in ("LIVEKIT_SERVER", "brew install", "releases", "container image", "go install"):
        assert way in message


def test_named_server_that_is_not_executable_is_named(tmp_path: Path) -> None:
    """LIVEKIT_SERVER that leads nowhere is said to."""
    with pytest.raises(ServerMissing, match=r"LIVEKIT_SERVER=/nowhere/server is not an executable"):
        find_server({"LIVEKIT_SERVER": "/nowhere/server", "PATH": str(tmp_path)})


def test_server_is_ready_when_start_returns(tmp_path: Path) -> None:
    """start() returns once the server answers, on the loopback interface, with a key of its own."""
    with LiveServer.start(_executable(tmp_path, ANSWERS)) as server:
        assert server.running
        assert server.credentials.url.startswith("ws://127.0.0.1:")
        assert len(server.credentials.api_secret) >= 32


def test_server_ends_with_the_block(tmp_path: Path) -> None:
    """Nothing of the server is left after the `with` block."""
    with LiveServer.start(_executable(tmp_path, ANSWERS)) as server:
        pid = server.pid
    assert _gone(pid)
    assert not server.running


def test_stopping_twice_does_nothing(tmp_path: Path) -> None:
    """stop() may be called again."""
    server = LiveServer.start(_executable(tmp_path, ANSWERS))
    server.stop()
    server.stop()
    assert not server.running


def test_server_that_ends_at_once_is_reported_with_its_last_line(tmp_path: Path) -> None:
    """A server that does not come up is one line with what it said."""
    broken = _executable(tmp_path, "raise SystemExit('no such configuration')")
    with pytest.raises(ServerFailed, match="ended before it was ready: no such configuration"):
        LiveServer.start(broken)


def test_server_that_never_answers_is_given_up_and_ended(tmp_path: Path) -> None:
    """A server that does not answer in time is ended and reported."""
    pids = tmp_path / "pid"
    silent = _executable(
        tmp_path,
        "import os, pathlib, signal\n"
        f"pathlib.Path({str(pids)!r}).write_text(str(os.getpgid(0)))\n"
        "signal.pause()\n",
    )
    with pytest.raises(ServerFailed, match="did not answer"):
        LiveServer.start(silent, timeout=1.5)
    assert _gone(int(pids.read_text()))


def test_server_ends_when_the_one_who_started_it_is_killed(tmp_path: Path) -> None:
    """A run that is killed leaves no server behind."""
    server = _executable(tmp_path, ANSWERS)
    program = (
        "import pathlib, sys\n"
        "from conformance.live.launcher import LiveServer\n"
        "server = LiveServer.start(pathlib.Path(sys.argv[1]))\n"
        "print(server.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(server)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    ) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        run.send_signal(signal.SIGKILL)
        run.wait()
    assert _gone(pid)


def test_server_does_not_read_settings_meant_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LIVEKIT_CONFIG and LIVEKIT_KEYS of the environment do not reach the server."""
    monkeypatch.setenv("LIVEKIT_CONFIG", "port: 1")
    monkeypatch.setenv("LIVEKIT_KEYS", "a: b")
    checks = "import os\nassert not {'LIVEKIT_CONFIG', 'LIVEKIT_KEYS'} & set(os.environ)\n"
    with LiveServer.start(_executable(tmp_path, checks + ANSWERS)) as server:
        assert server.running
