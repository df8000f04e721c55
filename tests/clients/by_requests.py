"""A plugin that speaks to its vendor by requests, in a thread."""

from __future__ import annotations

import asyncio

import requests

from conformance.reference.api import TIMEOUT

from .vendor import Answer, ClientAvatar, ThreadApi, Unreachable


def send(method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
    """One request, which blocks its thread."""
    try:
        response = requests.request(
            method, url, headers=headers, data=body, timeout=TIMEOUT, allow_redirects=False
        )
    except requests.exceptions.ChunkedEncodingError as error:
        raise Unreachable(error, again=False) from error
    except requests.exceptions.ConnectionError as error:
        raise Unreachable(error) from error
    except requests.exceptions.RequestException as error:
        raise Unreachable(error) from error
    return Answer(response.status_code, response.headers.get("content-type", ""), response.content)


async def exchange(method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
    """One request in a thread."""
    return await asyncio.to_thread(send, method, url, headers, body)


class RequestsAvatar(ClientAvatar):
    """An avatar whose sessions are opened by requests."""

    exchange = staticmethod(exchange)
    api = ThreadApi
