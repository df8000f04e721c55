"""Starts a LiveKit server on the loopback interface for the length of a run.

::

    with LiveServer.start() as server:
        server.credentials.url  # ws://127.0.0.1:PORT
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from conformance.plugin.room import Credentials

HOST = "127.0.0.1"
PINNED_RELEASE = "v1.13.5"
"""The release that docs/server-behaviour.md was measured on. Later ones need a checkout to build,
because their go.mod has replace directives, which `go install` refuses."""
READY_TIMEOUT = 20.0
STOP_TIMEOUT = 6.0
ATTEMPTS = 3

HOW_TO_GET = (
    "no LiveKit server found: set LIVEKIT_SERVER to the executable or put livekit-server on PATH "
    "(Homebrew: `brew install livekit`; release binary: "
    "https://github.com/livekit/livekit/releases; container image: livekit/livekit-server, run "
    "by you and named with --livekit-url; from source with Go: "
    f"`go install github.com/livekit/livekit-server/cmd/server@{PINNED_RELEASE}`, which makes an "
    "executable called `server`)"
)


class ServerMissing(RuntimeError):
    """There is no LiveKit server to start. The message says how to get one."""


class ServerFailed(RuntimeError):
    """The server was started and did not become ready."""


def find_server(environ: Mapping[str, str] | None = None) -> Path:
    """The server's executable: ``LIVEKIT_SERVER``, else ``livekit-server`` on ``PATH``.

    Raises `ServerMissing` where there is none.
    """
    environ = os.environ if environ is None else environ
    named = environ.get("LIVEKIT_SERVER")
    if named:
        found = shutil.which(named, path=environ.get("PATH", ""))
        if found is None:
            raise ServerMissing(f"LIVEKIT_SERVER={named} is not an executable; {HOW_TO_GET}")
        return Path(found)
    found = shutil.which("livekit-server", path=environ.get("PATH", ""))
    if found is None:
        raise ServerMissing(HOW_TO_GET)
    return Path(found)


class LiveServer:
    """A running server of our own: on 127.0.0.1 only, on free ports, with a key of its own.

    It ends with :meth:`stop`, with the ``with`` block, at interpreter exit, and when this process
    is killed.
    """

    def __init__(self, process: subprocess.Popen[bytes], port: int, directory: Path) -> None:
        self._process = process
        self._port = port
        self._directory = directory
        self.credentials = Credentials(f"ws://{HOST}:{port}", *_key(directory))
        atexit.register(self.stop)

    @classmethod
    def start(cls, executable: Path | None = None, *, timeout: float = READY_TIMEOUT) -> LiveServer:
        """Start a server and wait until it answers.

        Raises `ServerMissing` where there is no executable, and `ServerFailed` when it is not
        ready after ``timeout`` seconds or ends before.
        """
        executable = executable or find_server()
        for attempt in range(1, ATTEMPTS + 1):
            server = cls._launch(executable)
            try:
                server._await_ready(timeout)
            except BaseException as error:
                log = server.log()
                server.stop()
                taken = isinstance(error, ServerFailed) and "address already in use" in log
                if taken and attempt < ATTEMPTS:
                    continue
                raise
            return server
        raise AssertionError("unreachable: the last attempt returns or raises")

    @classmethod
    def _launch(cls, executable: Path) -> LiveServer:
        directory = Path(tempfile.mkdtemp(prefix="avatar-conformance-live-"))
        port, tcp_port = _free_ports(socket.SOCK_STREAM, 2)
        (udp_port,) = _free_ports(socket.SOCK_DGRAM, 1)
        key, secret = f"key{secrets.token_hex(4)}", secrets.token_hex(24)
        configuration = directory / "config.yaml"
        configuration.touch(mode=0o600)
        configuration.write_text(
            json.dumps(_configuration(port, tcp_port, udp_port, key, secret)), encoding="utf-8"
        )
        with (directory / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", f"{__package__}.parent_watchdog"),
                    *(str(executable), "--config", str(configuration)),
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=_environment(),
            )
        return cls(process, port, directory)

    @property
    def pid(self) -> int:
        """The process group that the server and its watchdog run in."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether the server is still there."""
        return self._process.poll() is None

    def log(self) -> str:
        """What the server has written so far; empty after :meth:`stop`."""
        try:
            return (self._directory / "log").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def stop(self) -> None:
        """End the server and everything it started. Does nothing the second time."""
        atexit.unregister(self.stop)
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(STOP_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._kill()
        shutil.rmtree(self._directory, ignore_errors=True)

    def kill(self) -> None:
        """End the server at once, as a crash would."""
        self._kill()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _await_ready(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if not self.running:
                raise ServerFailed(
                    f"the LiveKit server ended before it was ready: {_last_line(self.log())}"
                )
            try:
                with _DIRECT.open(f"http://{HOST}:{self._port}/", timeout=1.0) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.05)
        raise ServerFailed(
            f"the LiveKit server did not answer on {HOST}:{self._port} within {timeout:g} s: "
            f"{_last_line(self.log())}"
        )

    def __enter__(self) -> LiveServer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def _configuration(
    port: int, tcp_port: int, udp_port: int, key: str, secret: str
) -> dict[str, object]:
    return {
        "port": port,
        "bind_addresses": [HOST],
        "rtc": {
            "tcp_port": tcp_port,
            "udp_port": udp_port,
            "use_external_ip": False,
            "node_ip": HOST,
            "enable_loopback_candidate": True,
            "interfaces": {"includes": [_loopback_interface()]},
            "ips": {"includes": [f"{HOST}/32"]},
            # Without one the server hands its clients public STUN servers.
            "stun_servers": [f"{HOST}:{udp_port}"],
        },
        "keys": {key: secret},
        "logging": {"level": "info", "json": False},
    }


def _loopback_interface() -> str:
    names = [name for _, name in socket.if_nameindex() if name in ("lo", "lo0")]
    return names[0] if names else "lo"


def _environment() -> dict[str, str]:
    """This process's environment without what the server reads as its own settings."""
    own = ("LIVEKIT_CONFIG", "LIVEKIT_KEYS", "LIVEKIT_REGION", "NODE_IP", "UDP_PORT")
    return {name: value for name, value in os.environ.items() if name not in own}


def _key(directory: Path) -> tuple[str, str]:
    keys = json.loads((directory / "config.yaml").read_text(encoding="utf-8"))["keys"]
    ((key, secret),) = keys.items()
    return key, secret


def _free_ports(kind: socket.SocketKind, count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket(socket.AF_INET, kind)) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]


def _last_line(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1] if lines else "it wrote nothing"
