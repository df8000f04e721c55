"""TLS of declared hosts: real, by an authority that is trusted for the run alone."""

from __future__ import annotations

import asyncio
import ssl

import aiohttp
import pytest
from aiohttp import web

from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual
from conformance.stage.network.authority import Authority
from conformance.stage.network.network import Network
from conformance.stage.network.transport import underneath

HOST = "api.vendor.test"


async def hello(request: web.BaseRequest) -> web.StreamResponse:
    """Say whether the connection is secured."""
    assert request.transport is not None
    version = request.transport.get_extra_info("ssl_object").version()
    return web.json_response({"tls": version, "memory": underneath(request.transport) is not None})


def test_a_declared_host_is_reached_by_real_tls() -> None:
    """The client verifies the host's certificate, and the bytes never leave the process."""

    async def main(clock: VirtualClock) -> tuple[object, object]:
        server = web.Server(hello, access_log=None)
        with Network(clock) as network:
            network.serve(HOST, 443, server)
            loop = asyncio.get_running_loop()
            context = ssl.create_default_context()
            transport, _ = await loop.create_connection(asyncio.Protocol, HOST, 443, ssl=context)
            certificate = transport.get_extra_info("peercert")
            transport.close()
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"https://{HOST}/") as response,
            ):
                answer = await response.json()
            server.pre_shutdown()
            await server.shutdown(0.1)
        return answer, certificate["subjectAltName"]

    answer, names = run_virtual(main)
    assert answer == {"tls": "TLSv1.3", "memory": True}
    assert names == (("DNS", HOST),)


def test_a_host_that_is_called_by_another_name_is_not_trusted() -> None:
    """A client that asks for one host and connects to another finds the wrong certificate."""

    async def main(clock: VirtualClock) -> None:
        server = web.Server(hello, access_log=None)
        with Network(clock) as network:
            network.serve(HOST, 443, server)
            loop = asyncio.get_running_loop()
            context = ssl.create_default_context()
            with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
                await loop.create_connection(
                    asyncio.Protocol, HOST, 443, ssl=context, server_hostname="other.test"
                )
            server.pre_shutdown()
            await server.shutdown(0.1)

    run_virtual(main)


def test_a_plain_client_gets_nowhere_at_a_port_that_speaks_tls() -> None:
    """What is sent in the clear to port 443 is not understood."""

    async def main(clock: VirtualClock) -> None:
        server = web.Server(hello, access_log=None)
        with Network(clock) as network:
            network.serve(HOST, 443, server)
            async with aiohttp.ClientSession() as session:
                with pytest.raises(aiohttp.ClientError):
                    await session.get(f"http://{HOST}:443/")
            server.pre_shutdown()
            await server.shutdown(0.1)

    run_virtual(main)


def test_nobody_is_made_to_trust_the_authority_when_the_network_is_left() -> None:
    """The methods by which clients begin TLS are put back."""
    before = ssl.SSLContext.wrap_bio, ssl.SSLContext.wrap_socket
    with Authority().trusted():
        assert ssl.SSLContext.wrap_bio is not before[0]
    assert (ssl.SSLContext.wrap_bio, ssl.SSLContext.wrap_socket) == before
