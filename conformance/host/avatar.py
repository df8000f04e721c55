"""The host's avatar outputs and receivers."""

from __future__ import annotations

import inspect
import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

from livekit import rtc
from livekit.agents.voice.avatar import DataStreamAudioOutput, DataStreamAudioReceiver


def publish_on_behalf_attribute() -> str:
    """The participant attribute that names the agent an avatar publishes for."""
    from livekit.agents.voice.room_io import ATTRIBUTE_PUBLISH_ON_BEHALF

    return str(ATTRIBUTE_PUBLISH_ON_BEHALF)


def avatar_receiver(
    room: rtc.Room, *, sender_identity: str | None, received: Callable[[bytes], None]
) -> DataStreamAudioReceiver:
    """A receiver with call handlers of its own, that tells ``received`` of every chunk it reads.

    The host keeps the handlers in a dict of the class, by the sender's identity. Workers are
    processes of their own, so two of them in one process must not share it.
    """
    own = type("WorkerReceiver", (DataStreamAudioReceiver,), {"_clear_buffer_handlers": {}})
    tapped = _TappedRoom(room, received)
    receiver: DataStreamAudioReceiver = own(tapped, sender_identity=sender_identity)
    return receiver


def logged_by_receiver(record: logging.LogRecord) -> bool:
    """Whether a record is of the worker's part of the host, which a vendor runs elsewhere."""
    if record.pathname != inspect.getsourcefile(DataStreamAudioReceiver):
        return False
    lines, first = inspect.getsourcelines(DataStreamAudioReceiver)
    return first <= record.lineno < first + len(lines)


class _TappedRoom:
    """Proxies a room and passes every chunk read from its byte streams to a callback."""

    def __init__(self, room: rtc.Room, received: Callable[[bytes], None]) -> None:
        self._room = room
        self._received = received

    def __getattr__(self, name: str) -> Any:
        return getattr(self._room, name)

    def register_byte_stream_handler(self, topic: str, handler: Callable[[Any, str], None]) -> None:
        def tapped(reader: rtc.ByteStreamReader, identity: str) -> None:
            handler(_TappedReader(reader, self._received), identity)

        self._room.register_byte_stream_handler(topic, tapped)


class _TappedReader:
    def __init__(self, reader: rtc.ByteStreamReader, received: Callable[[bytes], None]) -> None:
        self._reader = reader
        self._received = received

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reader, name)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self._reader.__anext__()
        self._received(chunk)
        return chunk


def reset_class_state() -> None:
    """Forget what outputs of earlier checks left in the host's class-level dicts."""
    for name in ("_playback_finished_handlers", "_playback_started_handlers"):
        handlers = getattr(DataStreamAudioOutput, name, None)
        if handlers is not None:
            handlers.clear()
