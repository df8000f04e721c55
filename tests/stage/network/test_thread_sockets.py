"""Blocking sockets of threads reach what is served in memory, on the stage's time."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual
from conformance.stage.network.network import Network
from conformance.stage.vendor.fault_injection import reset

HOST = "api.vendor.test"


async def answer(request: web.BaseRequest) -> web.StreamResponse:
    """Echo, after a while, in silence, in many bytes, or not at all."""
    if request.path == "/reset":
        return reset(request)
    if request.path == "/never":
        await asyncio.Event().wait()
    if request.path == "/late":
        await asyncio.sleep(20)
    if request.path == "/much":
        return web.Response(body=bytes(5_000_000))
    body = await request.read()
    return web.json_response({"path": request.path, "bytes": len(body)})


def served(
    work: Callable[[], Any], *, port: int = 443, admit: bool = True, in_thread: bool = True
) -> tuple[Any, float, Network]:
    """What ``work`` comes to in a thread, how many seconds that takes, and the network."""

    async def main(clock: VirtualClock) -> tuple[Any, float, Network]:
        server = web.Server(answer, access_log=None, handler_cancellation=True)
        with Network(clock) as network:
            network.serve(HOST, port, server, admit=lambda: admit)
            try:
                found = await asyncio.to_thread(work) if in_thread else work()
            except Exception as error:
                found = error
            passed = clock.now()
            server.pre_shutdown()
            await server.shutdown(0.1)
        return found, passed, network

    return run_virtual(main)


def fetch(path: str = "/", *, body: bytes = b"", timeout: float = 60) -> bytes:
    """What a blocking client gets, by TLS that it verifies."""
    context = ssl.create_default_context()
    connection = http.client.HTTPSConnection(HOST, timeout=timeout, context=context)
    try:
        connection.request("POST", path, body)
        return connection.getresponse().read()
    finally:
        connection.close()


def test_a_blocking_client_reaches_a_declared_host_in_no_time() -> None:
    """The request goes by real TLS over 127.0.0.1, and no time passes meanwhile."""
    found, passed, network = served(lambda: fetch(body=bytes(300_000)))
    assert json.loads(found) == {"path": "/", "bytes": 300_000}
    assert passed == 0
    assert not network.contacts


def test_an_answer_of_any_size_arrives_whole() -> None:
    """What the socket cannot take at once is sent when it can."""
    found, passed, _ = served(lambda: fetch("/much"))
    assert (len(found), passed) == (5_000_000, 0)


def test_a_late_answer_takes_simulated_time() -> None:
    """A thread that waits for the vendor waits by the stage's clock."""
    began = time.monotonic()
    found, passed, _ = served(lambda: fetch("/late"))
    assert (json.loads(found)["path"], passed) == ("/late", 20)
    assert time.monotonic() - began < 10


def test_a_timeout_of_a_socket_is_one_by_the_stages_clock() -> None:
    """A vendor that never answers is given up after so many simulated seconds."""
    found, passed, _ = served(lambda: fetch("/never", timeout=12.5))
    assert isinstance(found, TimeoutError)
    assert passed == 12.5


def test_a_connection_that_is_refused_or_reset_is_so_for_a_thread() -> None:
    """Threads get the errors that the operating system gives."""
    found, _, network = served(fetch, admit=False)
    assert isinstance(found, ConnectionRefusedError)
    assert not network.contacts
    found, _, _ = served(lambda: fetch("/reset"))
    assert isinstance(found, ConnectionResetError)


def test_a_plain_socket_reads_writes_and_ends_as_any_other() -> None:
    """Options, timeouts and file objects work; the end of what is sent is told."""

    def speak() -> tuple[bool, Any, Any, list[bytes]]:
        with socket.create_connection((HOST, 80), timeout=7) as sock:
            timeouts = sock.gettimeout(), sock.getblocking()
            sock.settimeout(None)
            assert sock.gettimeout() is None
            sock.sendall(f"GET /x HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode())
            with sock.makefile("rb") as file:
                lines = file.readlines()
            sock.setblocking(False)
            assert sock.recv(1) == b""
        return *timeouts, sock.fileno(), lines

    (timeout, blocks, closed, lines), passed, _ = served(speak, port=80)
    assert (timeout, blocks, closed, passed) == (7.0, True, -1, 0)
    assert lines[0] == b"HTTP/1.1 200 OK\r\n"
    assert json.loads(lines[-1]) == {"path": "/x", "bytes": 0}


def test_what_is_not_declared_is_refused_all_the_same() -> None:
    """The system's own addresses are no way around."""

    def elsewhere() -> None:
        socket.create_connection(("127.0.0.1", 443))

    found, _, network = served(elsewhere)
    assert isinstance(found, ConnectionRefusedError)
    assert [contact.address for contact in network.contacts] == ["127.0.0.1:443"]


def test_a_blocking_socket_in_the_loops_thread_is_a_limit() -> None:
    """Nobody could answer it; the line says who opened it, and both ways out."""
    found, _, network = served(fetch, in_thread=False)
    assert isinstance(found, ConnectionRefusedError)
    (limit,) = network.limits
    assert limit.startswith(f"{__name__}:fetch opens a blocking socket to {HOST}")
    assert "asyncio.to_thread" in limit
    assert "--live" in limit
    assert not network.contacts


def test_everything_is_put_back() -> None:
    """Sockets and TLS are the standard library's own after the run."""
    served(fetch)
    names = ("recv", "recv_into", "send", "sendall", "settimeout", "gettimeout", "connect")
    assert not set(names) & set(vars(socket.socket))
    assert ssl.SSLSocket.read.__module__ == "ssl"
    assert socket.getaddrinfo.__module__ == "socket"
