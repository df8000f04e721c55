"""Child processes, native sockets and gRPC: what is seen of them, and what is said of the rest."""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from conformance.loopback import stage as loopback
from conformance.plugin.provider import Provider
from conformance.results.outcomes import CheckResult, Outcome
from tests.mutants.mutant import SoundAdapter
from tests.mutants.robust import SoundAvatar
from tests.suite.check_runner import run_check, subject_of

pytestmark = pytest.mark.filterwarnings("ignore")  # of what gRPC and the loop leave unclosed


def judged(
    requirement: str, before: Callable[[], Awaitable[Any]], **capabilities: bool
) -> CheckResult:
    """What a check says of a robust avatar whose start does something before."""

    class Doing(SoundAvatar):
        async def start(self, *args: Any, **options: Any) -> None:
            await before()
            await super().start(*args, **options)

    adapter: Any = type("Adapter", (SoundAdapter,), {"avatar": Doing})()
    adapter.manifest = {"name": "doing", "capabilities": capabilities}
    subject = subject_of(Provider(adapter, label="doing", origin="a test", source="file"))
    (check,) = (c for c in subject.checks if c.requirement == requirement)
    return run_check(subject, check, None)


def run_child() -> None:
    """Run a program to its end."""
    subprocess.run(["true"], check=True)


async def quick_child() -> None:
    """A child that is waited for in a thread."""
    await asyncio.to_thread(run_child)


async def child_of_the_loop() -> None:
    """A child that is waited for by the loop."""
    child = await asyncio.create_subprocess_exec("sleep", "0.3")
    await asyncio.wait_for(child.wait(), 30)


async def renderer() -> None:
    """A child that needs time before it is of use."""
    child = await asyncio.create_subprocess_exec("sleep", "3")
    await asyncio.sleep(3.5)
    if child.returncode is None:
        child.kill()
        await child.wait()
        raise RuntimeError("the renderer is not ready")


def test_a_child_process_is_named_where_its_contacts_cannot_be_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """SEC-02 says which program it could not look into, and who has started it."""
    monkeypatch.setattr(loopback, "is_isolated", lambda: False)
    result = judged("SEC-02", quick_child)
    assert result.outcome is Outcome.PASSED
    assert f"the child process true, started by {__name__}:run_child, " in result.reason
    assert "contacted whom it would, unseen" in result.reason


@pytest.mark.parametrize("child", [quick_child, child_of_the_loop])
def test_a_child_that_is_waited_for_takes_no_verdict_away(child: Any) -> None:
    """Where no time passes while the child lives, everything is judged."""
    assert judged("BIND-01", child).outcome is Outcome.PASSED


@pytest.fixture
def somebody_elses_child() -> Iterator[None]:
    """A process that the application, or another test, has started and keeps."""
    with subprocess.Popen(["sleep", "600"]) as child:
        yield
        child.kill()


async def crash_after_child() -> None:
    """A start that fails, after a child that has ended."""
    await quick_child()
    await asyncio.sleep(1)
    raise RuntimeError("no licence")


def test_a_child_of_somebody_else_takes_no_verdict_away(somebody_elses_child: None) -> None:
    """A browser's driver that another test keeps excuses no failure of the plugin's."""
    assert judged("BIND-01", crash_after_child).outcome is Outcome.FAILED


def test_a_child_that_virtual_time_cannot_wait_for_is_the_kits_limit() -> None:
    """A start that waits for a child in vain has failed nothing; the line has both ways out."""
    result = judged("BIND-01", renderer)
    assert result.outcome is Outcome.ERROR
    assert "while a child process was at work (sleep, by " in result.reason
    assert "capability real_time" in result.reason
    assert judged("BIND-01", renderer, real_time=True).outcome is Outcome.PASSED


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows a process its sockets")
def test_a_socket_of_native_code_is_a_contact() -> None:
    """A C library that connects by itself is seen while it holds the connection."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        opened: list[int] = []

        async def connect() -> None:
            library = ctypes.CDLL(None)
            opened.append(library.socket(socket.AF_INET, socket.SOCK_STREAM, 0))
            address = (
                socket.AF_INET.to_bytes(2, sys.byteorder)
                + port.to_bytes(2, "big")
                + bytes([127, 0, 0, 1])
                + bytes(8)
            )
            assert library.connect(opened[-1], address, len(address)) == 0

        try:
            result = judged("SEC-02", connect)
        finally:
            for number in opened:
                os.close(number)
    assert result.outcome is Outcome.FAILED
    assert result.finding is not None
    assert f"127.0.0.1:{port} by native code" in result.finding.observed


def test_a_grpc_channel_to_the_vendor_is_the_kits_limit() -> None:
    """One line says that nothing in memory reaches it, and names --live with the vendor's API."""
    grpc = pytest.importorskip("grpc")

    async def call() -> None:
        credentials = grpc.ssl_channel_credentials()
        async with grpc.aio.secure_channel("api.reference.test:443", credentials) as channel:
            await channel.channel_ready()

    result = judged("BIND-01", call)
    assert result.outcome is Outcome.ERROR
    assert f"{__name__}:" in result.reason
    assert "opens a gRPC channel to api.reference.test" in result.reason
    assert "use --live with the vendor's own API" in result.reason


def test_a_grpc_channel_to_anybody_else_is_refused_as_a_contact() -> None:
    """What gRPC would reach beside the declared hosts is seen and refused like any other."""
    grpc = pytest.importorskip("grpc.aio")

    async def report() -> None:
        with pytest.raises(ConnectionRefusedError):
            grpc.insecure_channel("dns:///telemetry.test:4317")

    result = judged("SEC-02", report)
    assert result.outcome is Outcome.FAILED
    assert result.finding is not None
    assert result.finding.observed.startswith(f"telemetry.test:4317 by {__name__}:")
