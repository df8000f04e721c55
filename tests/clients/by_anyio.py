"""A plugin that speaks HTTP to its vendor by itself, over anyio's streams."""

from __future__ import annotations

import ssl

import anyio
from anyio.streams.buffered import BufferedByteReceiveStream

from .vendor import HOST, Answer, ClientAvatar, Unreachable


async def exchange(method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
    """One request on a connection of its own."""
    lines = [f"{method} {url.partition(HOST)[2]} HTTP/1.1", f"Host: {HOST}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    answering = False
    try:
        context = ssl.create_default_context()
        async with await anyio.connect_tcp(
            HOST, 443, tls=True, ssl_context=context, tls_standard_compatible=False
        ) as stream:
            await stream.send("\r\n".join(lines).encode() + body)
            received = BufferedByteReceiveStream(stream)
            head = (await received.receive_until(b"\r\n\r\n", 65536)).decode()
            answering = True
            status, *fields = head.split("\r\n")
            found = {k.lower(): v.strip() for k, _, v in (f.partition(":") for f in fields)}
            length = int(found.get("content-length", "0"))
            content = await received.receive_exactly(length) if length else b""
    except (OSError, anyio.BrokenResourceError, anyio.EndOfStream, anyio.IncompleteRead) as error:
        raise Unreachable(error, again=not answering) from error
    return Answer(int(status.split()[1]), found.get("content-type", ""), content)


class AnyioAvatar(ClientAvatar):
    """An avatar whose sessions are opened over a stream of anyio's."""

    exchange = staticmethod(exchange)
