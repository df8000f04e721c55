"""A plugin that speaks to its vendor by httpx."""

from __future__ import annotations

import httpx

from conformance.reference.api import TIMEOUT

from .vendor import Answer, ClientAvatar, Unreachable


async def exchange(method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
    """One request by a client of its own."""
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT) as client:
            response = await client.request(method, url, headers=headers, content=body)
    except httpx.RemoteProtocolError as error:
        raise Unreachable(error, again="incomplete" not in str(error)) from error
    except httpx.TransportError as error:
        raise Unreachable(error, again=not isinstance(error, httpx.ReadError)) from error
    return Answer(response.status_code, response.headers.get("content-type", ""), response.content)


class HttpxAvatar(ClientAvatar):
    """An avatar whose sessions are opened by httpx."""

    exchange = staticmethod(exchange)
