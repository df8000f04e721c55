"""A plugin that speaks to its vendor by urllib3, with a pool that it keeps, in a thread."""

from __future__ import annotations

import asyncio

import urllib3

from conformance.reference.api import TIMEOUT

from .vendor import Answer, ClientAvatar, ThreadApi, Unreachable


def send(method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
    """One request, which blocks its thread."""
    with urllib3.PoolManager(timeout=TIMEOUT, retries=False) as pool:
        try:
            response = pool.request(method, url, headers=headers, body=body, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            broken_off = "IncompleteRead" in repr(error) or "inside" in str(error)
            raise Unreachable(error, again=not broken_off) from error
    return Answer(response.status, response.headers.get("content-type", ""), response.data)


async def exchange(method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
    """One request in a thread."""
    return await asyncio.to_thread(send, method, url, headers, body)


class Urllib3Avatar(ClientAvatar):
    """An avatar whose sessions are opened by urllib3."""

    exchange = staticmethod(exchange)
    api = ThreadApi
