"""The clients, and a table of them: ``python -m tests.clients.table``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.mutants.mutant import SoundAdapter
from tests.mutants.robust import SoundAvatar
from tests.mutants.socket_provider import SocketAdapter

from .by_anyio import AnyioAvatar
from .by_grpc import GrpcAvatar
from .by_httpx import HttpxAvatar
from .by_requests import RequestsAvatar
from .by_urllib3 import Urllib3Avatar
from .by_websocket_client import WebsocketClientAdapter
from .by_websockets import WebsocketsAdapter
from .judged import judge

IN_MEMORY = "in memory, by asyncio"
IN_THREADS = "127.0.0.1, in threads"


@dataclass(frozen=True)
class Client:
    """A client, how its bytes travel, and the adapter of the small plugin that uses it."""

    name: str
    transport: str
    adapter: Any

    def __str__(self) -> str:
        return self.name


def calling(avatar: type[SoundAvatar]) -> type[SoundAdapter]:
    """The adapter of a plugin that sends its audio by byte streams."""
    return type("Adapter", (SoundAdapter,), {"avatar": avatar})


CLIENTS = (
    Client("aiohttp", IN_MEMORY, SoundAdapter),
    Client("aiohttp (WebSocket)", IN_MEMORY, SocketAdapter),
    Client("httpx", IN_MEMORY, calling(HttpxAvatar)),
    Client("anyio", IN_MEMORY, calling(AnyioAvatar)),
    Client("websockets", IN_MEMORY, WebsocketsAdapter),
    Client("requests", IN_THREADS, calling(RequestsAvatar)),
    Client("urllib3", IN_THREADS, calling(Urllib3Avatar)),
    Client("websocket-client", IN_THREADS, WebsocketClientAdapter),
)

OUT_OF_REACH = Client("gRPC", "native code", calling(GrpcAvatar))
"""A client that the kit cannot serve."""


def rows() -> Iterator[str]:
    """The table, as Markdown, made by running every check with each client."""
    yield "| client | bytes | outcome | run time |"
    yield "|---|---|---|---|"
    for client in (*CLIENTS, OUT_OF_REACH):
        judged = judge(client.adapter())
        tier = "robust" if not judged.bad else next(iter(judged.bad.values()))
        outcome = f"{tier}: {judged.outcome}"
        yield f"| {client} | {client.transport} | {outcome} | {judged.seconds:.0f} s |"


if __name__ == "__main__":
    print("\n".join(rows()))
