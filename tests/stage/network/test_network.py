from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual
from conformance.results.timeline import Timeline
from conformance.stage.network.network import Network
from conformance.stage.network.thread_owners import threads_of

HOST = "api.vendor.test"


async def _echo(request: web.BaseRequest) -> web.StreamResponse:
    if request.path == "/ws":
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        async for message in answer:
            await answer.send_str(f"echo {message.data}")
        return answer
    body = await request.read()
    return web.json_response({"url": str(request.url), "bytes": len(body)})


@asynccontextmanager
async def _network(clock: VirtualClock, port: int = 443) -> AsyncIterator[Network]:
    server = web.Server(_echo, handler_cancellation=True, access_log=None)
    with Network(clock) as network:
        network.serve(HOST, port, server)
        try:
            yield network
        finally:
            server.pre_shutdown()
            await server.shutdown(0)


def test_a_thread_from_before_is_kept_from_the_network() -> None:
    """A thread that was started before the network was entered reaches nothing, by its owner."""
    gate = threading.Lock()
    gate.acquire()
    seen: list[BaseException] = []

    def attempt() -> None:
        gate.acquire()
        try:
            socket.getaddrinfo("elsewhere.test", 99)
        except OSError as error:
            seen.append(error)

    with threads_of("acme"):
        earlier = threading.Thread(target=attempt)
        earlier.start()

    async def main(clock: VirtualClock) -> list[str | None]:
        async with _network(clock) as network:
            gate.release()
            earlier.join()
            return [contact.thread_of for contact in network.contacts]

    assert run_virtual(main) == ["acme"]
    assert len(seen) == 1


def test_an_https_client_reaches_a_declared_host() -> None:
    """A plain ClientSession posts to an https URL and gets the real server's answer."""

    async def main(clock: VirtualClock) -> Any:
        async with (
            _network(clock),
            aiohttp.ClientSession() as session,
            session.post(f"https://{HOST}/v1?a=b", data=b"x" * 500_000) as response,
        ):
            return await response.json()

    assert run_virtual(main) == {"url": f"https://{HOST}/v1?a=b", "bytes": 500_000}


def test_a_websocket_client_reaches_a_declared_host() -> None:
    """A wss URL is upgraded, and frames go both ways."""

    async def main(clock: VirtualClock) -> str:
        async with (
            _network(clock),
            aiohttp.ClientSession() as session,
            session.ws_connect(f"wss://{HOST}/ws") as client,
        ):
            await client.send_str("hello")
            return str(await client.receive_str())

    assert run_virtual(main) == "echo hello"


@pytest.mark.parametrize("seed", range(3))
def test_bytes_keep_their_order_whatever_the_seed(seed: int) -> None:
    """Shuffled tasks change nothing about the order of a connection's bytes."""

    async def main(clock: VirtualClock) -> list[str]:
        async with (
            _network(clock),
            aiohttp.ClientSession() as session,
            session.ws_connect(f"wss://{HOST}/ws") as client,
        ):
            for number in range(20):
                await client.send_str(str(number))
            return [str(await client.receive_str()) for _ in range(20)]

    assert run_virtual(main, seed=seed) == [f"echo {number}" for number in range(20)]


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://elsewhere.test/x", "elsewhere.test:443"),
        (f"http://{HOST}/x", f"{HOST}:80"),
        ("http://192.0.2.7:8080/x", "192.0.2.7:8080"),
    ],
)
def test_an_undeclared_address_fails_by_name_and_is_recorded(url: str, address: str) -> None:
    """Whatever else a client asks for fails, and who asked is remembered."""

    async def main(clock: VirtualClock) -> Any:
        await clock.sleep(3)
        async with _network(clock) as network, aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientConnectorError, match="is not a declared host"):
                await _ask(session, url)
            return network.contacts

    (contact,) = run_virtual(main)
    assert (contact.at, contact.address) == (3.0, address)
    assert contact.origin.endswith(":_ask")


async def _ask(session: aiohttp.ClientSession, url: str) -> None:
    await session.get(url)


def _connect(address: tuple[str, int]) -> None:
    with socket.socket() as sock:
        sock.connect(address)


def _connect_ex(address: tuple[str, int]) -> None:
    with socket.socket() as sock:
        code = sock.connect_ex(address)
    raise OSError(code, "refused")


def _send(address: tuple[str, int]) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", address)


def _create(address: tuple[str, int]) -> None:
    socket.create_connection(address).close()


def _resolve(address: tuple[str, int]) -> None:
    socket.getaddrinfo(*address)


@pytest.mark.parametrize("attempt", [_connect, _connect_ex, _send, _create, _resolve])
def test_a_blocking_socket_reaches_nothing(attempt: Any) -> None:
    """Blocking sockets and resolvers fail at once, in threads of the run too."""

    async def main(clock: VirtualClock) -> Any:
        async with _network(clock) as network:
            with pytest.raises(OSError, match=r"refused|elsewhere\.test:99"):
                attempt(("elsewhere.test", 99))
            with pytest.raises(OSError, match=r"refused|elsewhere\.test:99"):
                await asyncio.to_thread(attempt, ("elsewhere.test", 99))
            return network.contacts

    contacts = run_virtual(main)
    assert {contact.address for contact in contacts} == {"elsewhere.test:99"}
    assert len(contacts) == 2
    assert all(contact.origin.endswith(f":{attempt.__name__}") for contact in contacts)


def test_the_loops_other_ways_out_are_refused() -> None:
    """Datagrams and unix sockets reach nothing either."""

    async def main(clock: VirtualClock) -> list[str]:
        loop = asyncio.get_running_loop()
        async with _network(clock) as network:
            with pytest.raises(OSError, match=r"192\.0\.2\.1:53 is not a declared host"):
                await loop.create_datagram_endpoint(
                    asyncio.DatagramProtocol, remote_addr=("192.0.2.1", 53)
                )
            with pytest.raises(OSError, match="unix:/run/x is not a declared host"):
                await loop.create_unix_connection(asyncio.Protocol, "/run/x")
            return [contact.address for contact in network.contacts]

    assert run_virtual(main) == ["192.0.2.1:53", "unix:/run/x"]


def test_streams_work_over_the_network() -> None:
    """asyncio's own streams connect by host and port, half-close, and see the end."""

    class Reverse(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport
            self.data = b""

        def data_received(self, data: bytes) -> None:
            self.data += data

        def eof_received(self) -> bool:
            self.transport.write(self.data[::-1])
            self.transport.close()
            return True

    async def main(clock: VirtualClock) -> bytes:
        async with _network(clock) as network:
            network.serve("lines.test", 7, Reverse)
            reader, writer = await asyncio.open_connection("lines.test", 7)
            writer.write(b"abc" * 100_000)
            await writer.drain()
            writer.write_eof()
            data = await reader.read()
            writer.close()
            await writer.wait_closed()
            return data

    assert run_virtual(main) == b"cba" * 100_000


def test_writing_waits_for_a_reader_that_has_paused() -> None:
    """Flow control: drain() returns when the other end has taken what was written."""

    class Slow(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            transport.pause_reading()
            asyncio.get_running_loop().call_later(5, transport.resume_reading)

    async def main(clock: VirtualClock) -> float:
        async with _network(clock) as network:
            network.serve("slow.test", 7, Slow)
            _, writer = await asyncio.open_connection("slow.test", 7)
            writer.write(b"x" * 1_000_000)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
            return clock.now()

    assert run_virtual(main) == 5


def test_a_reset_breaks_the_other_end() -> None:
    """The peer of a connection that is reset gets ConnectionResetError."""

    class Rude(asyncio.Protocol):
        def connection_made(self, transport: Any) -> None:
            asyncio.get_running_loop().call_later(1, transport.reset)

    async def main(clock: VirtualClock) -> None:
        async with _network(clock) as network:
            network.serve("rude.test", 7, Rude)
            reader, writer = await asyncio.open_connection("rude.test", 7)
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()

    run_virtual(main)


def test_connections_that_are_not_admitted_are_refused_without_a_contact() -> None:
    """A declared host can be down: refused, but no contact with anything undeclared."""

    async def main(clock: VirtualClock) -> Any:
        async with _network(clock) as network:
            network.serve("down.test", 443, asyncio.Protocol, admit=lambda: False)
            with pytest.raises(ConnectionRefusedError, match=r"down\.test:443"):
                await asyncio.open_connection("down.test", 443)
            return network.contacts

    assert run_virtual(main) == ()


def test_an_address_is_served_once() -> None:
    """Serving a host and port twice is the kit's mistake, and says so."""

    async def main(clock: VirtualClock) -> None:
        async with _network(clock) as network:
            with pytest.raises(ValueError, match=r"api\.vendor\.test:443 is served already"):
                network.serve(HOST, 443, asyncio.Protocol)

    run_virtual(main)


def test_sockets_and_resolvers_are_put_back() -> None:
    """After the run, socket functions are the process's own again."""
    before = (socket.getaddrinfo, socket.gethostbyname, dict(vars(socket.socket)))

    async def main(clock: VirtualClock) -> None:
        async with _network(clock):
            assert socket.getaddrinfo is not before[0]
            raise LookupError

    with pytest.raises(LookupError):
        run_virtual(main)
    assert (socket.getaddrinfo, socket.gethostbyname, dict(vars(socket.socket))) == before


def test_a_contact_is_on_the_timeline() -> None:
    """The event timeline shows the attempt, the same in every run."""

    async def main(clock: VirtualClock) -> list[str]:
        timeline = Timeline(clock.now)
        with Network(clock, timeline), pytest.raises(OSError, match="declared"):
            await asyncio.open_connection("elsewhere.test", 5)
        return [event.subject for event in timeline]

    assert run_virtual(main) == run_virtual(main) == ["elsewhere.test:5"]
