"""Byte and text streams: a header, chunks of at most 15 kB, a trailer."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from livekit import rtc

from .client import RoomClient
from .connection import Link

CHUNK_BYTES = 15_000
DISCONNECTED = "Disconnected while receiving"

StreamInfo = TypeVar("StreamInfo", rtc.ByteStreamInfo, rtc.TextStreamInfo)
Payload = TypeVar("Payload", bytes, str)

BREAKS_OFF = hasattr(rtc, "StreamError")
"""Whether the SDK tells a reader that its stream broke off; older ones let it wait for ever."""

StreamError: type[Exception] = getattr(rtc, "StreamError", ConnectionError)
"""The error of a writer without a connection, and of a reader whose stream broke off."""


async def one_turn() -> None:
    """Yield to the event loop once, as a call into the real SDK does."""
    await asyncio.sleep(0)


def byte_header(
    stream_id: str,
    name: str,
    topic: str,
    mime_type: str,
    size: int | None,
    attributes: dict[str, str] | None,
) -> rtc.ByteStreamInfo:
    """The header of a byte stream."""
    return rtc.ByteStreamInfo(
        stream_id=stream_id,
        mime_type=mime_type,
        topic=topic,
        timestamp=int(time.time() * 1000),
        size=size or 0,
        attributes=dict(attributes or {}),
        name=name,
    )


def text_header(
    stream_id: str, topic: str, size: int | None, attributes: dict[str, str] | None
) -> rtc.TextStreamInfo:
    """The header of a text stream."""
    return rtc.TextStreamInfo(
        stream_id=stream_id,
        mime_type="text/plain",
        topic=topic,
        timestamp=int(time.time() * 1000),
        size=size or 0,
        attributes=dict(attributes or {}),
        attachments=[],
    )


class _End:
    def __init__(self, error: str | None, attributes: dict[str, str]) -> None:
        self.error = error
        self.attributes = attributes


class _Reader(Generic[StreamInfo, Payload]):
    def __init__(self, info: StreamInfo, sender: str, on_close: Callable[[], None]) -> None:
        self._info: StreamInfo = info
        self.sender = sender
        self._on_close = on_close
        self._chunks: asyncio.Queue[Payload | _End] = asyncio.Queue()
        self._received = 0
        self._ended = False
        self._closed = False
        self._error: Exception | None = None

    @property
    def info(self) -> StreamInfo:
        """The stream's header; its trailer's attributes are added at the end."""
        return self._info

    def take(self, chunk: Payload) -> None:
        """A chunk has arrived; one beyond the announced size ends the stream with an error."""
        if self._ended or not chunk:
            return
        self._received += len(chunk if isinstance(chunk, bytes) else chunk.encode())
        if BREAKS_OFF and self._info.size and self._received > self._info.size:
            self.end("read length exceeded total length specified in stream header")
        else:
            self._chunks.put_nowait(chunk)

    def end(self, error: str | None = None, attributes: dict[str, str] | None = None) -> None:
        """The trailer has arrived; with ``error`` the end is abnormal, where the SDK tells."""
        if not self._ended:
            self._ended = True
            if not BREAKS_OFF:
                error = None
            elif error is None and self._received < (self._info.size or 0):
                error = "stream data is incomplete"
            self._chunks.put_nowait(_End(error, attributes or {}))

    def break_off(self, error: str) -> None:
        """There will be no trailer: the connection of one of the two is gone."""
        if BREAKS_OFF:
            self.end(error)

    def __aiter__(self) -> _Reader[StreamInfo, Payload]:
        return self

    async def __anext__(self) -> Payload:
        if not self._closed:
            chunk = await self._chunks.get()
            if not isinstance(chunk, _End):
                return chunk
            if self._info.attributes is not None:
                self._info.attributes.update(chunk.attributes)
            if chunk.error is not None:
                self._error = StreamError(chunk.error)
            self.close()
        if self._error is not None:
            raise self._error
        raise StopAsyncIteration

    def close(self) -> None:
        """Stop reading; a read that waits ends."""
        if not self._closed:
            self._closed = True
            self._ended = True
            self._chunks.put_nowait(_End(None, {}))
            self._on_close()

    async def aclose(self) -> None:
        """Stop reading; a read that waits ends."""
        self.close()


class LoopbackByteStreamReader(_Reader[rtc.ByteStreamInfo, bytes]):
    """An incoming byte stream: iterate it for its chunks; `StreamError` when it breaks off."""


class LoopbackTextStreamReader(_Reader[rtc.TextStreamInfo, str]):
    """An incoming text stream: iterate it for its chunks; `StreamError` when it breaks off."""

    async def read_all(self) -> str:
        """The whole text, once it has ended."""
        return "".join([chunk async for chunk in self])


class _Writer(Generic[StreamInfo, Payload]):
    kind: str

    def __init__(
        self,
        link: Link,
        info: StreamInfo,
        destinations: Sequence[str] | None,
        told_sender: str | None = None,
    ) -> None:
        self._link = link
        self._told_sender = told_sender or link.identity
        self._info: StreamInfo = info
        self._destinations = list(destinations or ())
        self._sender = link.identity
        self._bytes = 0
        self._closed = False

    @property
    def info(self) -> StreamInfo:
        """The stream's header."""
        return self._info

    async def open(self) -> None:
        """Send the header; raises `StreamError` when not connected."""
        self._check_connected()
        info, sender, told, kind = self._info, self._sender, self._told_sender, self.kind
        self._link.send(
            lambda room: room.on_stream_opened(kind, info, sender, told), self._destinations
        )
        self._record("stream-opened")
        await one_turn()

    async def write(self, data: Payload) -> None:
        """Send data; raises `RuntimeError` after `aclose`, `StreamError` when not connected."""
        if self._closed:
            raise RuntimeError("Cannot write after stream is closed")
        self._check_connected()
        stream_id = self._info.stream_id
        for chunk in self._split(data):
            self._link.send(functools.partial(_chunk, stream_id, chunk), self._destinations)
        await one_turn()

    async def aclose(self, *, reason: str = "", attributes: dict[str, str] | None = None) -> None:
        """Send the trailer; a ``reason`` tells the receiver that the end is abnormal.

        Raises `RuntimeError` the second time and `StreamError` when not connected.
        """
        if self._closed:
            raise RuntimeError("Stream already closed")
        self._closed = True
        self._check_connected()
        stream_id, told = self._info.stream_id, dict(attributes or {})
        self._link.send(
            lambda room: room.on_stream_closed(stream_id, reason, told), self._destinations
        )
        self._record("stream-closed", bytes=self._bytes, **({"reason": reason} if reason else {}))
        await one_turn()

    def _split(self, data: Payload) -> Sequence[Payload]:
        raise NotImplementedError

    def _check_connected(self) -> None:
        if not self._link.open:
            raise StreamError("internal error")

    def _record(self, what: str, **detail: str | int) -> None:
        self._link.client.timeline.record(
            self._link.lane,
            what,
            self._sender,
            topic=self._info.topic,
            to=", ".join(self._destinations) or "everybody",
            **detail,
        )


def _chunk(stream_id: str, chunk: bytes | str, room: RoomClient) -> None:
    room.on_stream_chunk(stream_id, chunk)


class LoopbackByteStreamWriter(_Writer[rtc.ByteStreamInfo, bytes]):
    """An outgoing byte stream."""

    kind = "byte"

    def _split(self, data: bytes) -> Sequence[bytes]:
        data = bytes(data)
        self._bytes += len(data)
        return [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)]


class LoopbackTextStreamWriter(_Writer[rtc.TextStreamInfo, str]):
    """An outgoing text stream."""

    kind = "text"

    def _split(self, data: str) -> Sequence[str]:
        encoded = data.encode()
        self._bytes += len(encoded)
        chunks = []
        while encoded:
            end = min(CHUNK_BYTES, len(encoded))
            while end < len(encoded) and encoded[end] & 0xC0 == 0x80:
                end -= 1
            chunks.append(encoded[:end].decode())
            encoded = encoded[end:]
        return chunks
