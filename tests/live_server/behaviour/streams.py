"""What the reader of a byte or text stream gets."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from livekit import rtc

from .probe import Surroundings, Watched, probe

TOPIC = "probe"
BROKEN_OFF = (
    "ConnectionError stream closed abnormally: Participant sender unexpectedly disconnected in "
    "the middle of sending data"
)


class _Received:
    """The streams that one participant received, in words."""

    def __init__(self, who: Watched) -> None:
        self.streams: list[str] = []
        self.attributes: list[dict[str, str]] = []
        self.senders: list[str] = []
        self._tasks: list[asyncio.Task[None]] = []
        who.room.register_byte_stream_handler(TOPIC, self._take)
        who.room.register_text_stream_handler(TOPIC, self._take)

    def _take(self, reader: Any, sender: str) -> None:
        self.senders.append(sender)
        self._tasks.append(asyncio.ensure_future(self._read(reader)))

    async def _read(self, reader: Any) -> None:
        sizes = []
        end = "end"
        try:
            async for chunk in reader:
                sizes.append(len(chunk))
        except ConnectionError as error:
            end = f"ConnectionError {error}"
        self.streams.append(f"{sizes} {end}")
        self.attributes.append(dict(reader.info.attributes))

    async def wait(self, around: Surroundings, *, seconds: float = 5.0) -> None:
        """Wait until every stream that has begun has ended."""
        deadline = around.clock.now() + seconds
        while around.clock.now() < deadline:
            if self._tasks and all(task.done() for task in self._tasks):
                return
            await around.clock.sleep(0.02)


async def _send(
    around: Surroundings, write: Callable[[rtc.ByteStreamWriter], Awaitable[None]], **options: Any
) -> _Received:
    sender = await around.join("sender")
    reader = await around.join("reader")
    received = _Received(reader)
    writer = await sender.room.local_participant.stream_bytes(
        name="probe", topic=TOPIC, destination_identities=["reader"], **options
    )
    await write(writer)
    await received.wait(around)
    return received


@probe(
    "streams",
    "How are writes of 48000, 0, 15001 and 10 bytes cut?",
    "[15000, 15000, 15000, 3000, 15000, 1, 10] end",
)
async def _chunks(around: Surroundings) -> Sequence[str]:
    async def write(writer: rtc.ByteStreamWriter) -> None:
        for size in (48000, 0, 15001, 10):
            await writer.write(b"x" * size)
        await writer.aclose()

    return (await _send(around, write)).streams


@probe("streams", "A stream without a byte?", "[] end")
async def _nothing(around: Surroundings) -> Sequence[str]:
    async def write(writer: rtc.ByteStreamWriter) -> None:
        await writer.aclose()

    return (await _send(around, write)).streams


@probe("streams", "Attributes of the header and of the trailer?", "{'a': '1', 'b': '2'}")
async def _trailer(around: Surroundings) -> Sequence[str]:
    async def write(writer: rtc.ByteStreamWriter) -> None:
        await writer.write(b"x")
        await writer.aclose(attributes={"b": "2"})

    received = await _send(around, write, attributes={"a": "1"})
    return [str(each) for each in received.attributes]


@probe(
    "streams",
    "Closed with a reason?",
    "[1] ConnectionError stream closed abnormally: because",
)
async def _reason(around: Surroundings) -> Sequence[str]:
    async def write(writer: rtc.ByteStreamWriter) -> None:
        await writer.write(b"x")
        await writer.aclose(reason="because")

    return (await _send(around, write)).streams


@probe("streams", "Less than the announced size?", "[1] ConnectionError stream data is incomplete")
async def _too_little(around: Surroundings) -> Sequence[str]:
    async def write(writer: rtc.ByteStreamWriter) -> None:
        await writer.write(b"x")
        await writer.aclose()

    return (await _send(around, write, total_size=50)).streams


@probe("streams", "The sender disconnects in the middle?", f"[1] {BROKEN_OFF}")
async def _sender_leaves(around: Surroundings) -> Sequence[str]:
    reader = await around.join("reader")
    received = _Received(reader)
    sender = await around.publisher("sender", reader)
    writer = await sender.room.local_participant.stream_bytes(
        name="probe", topic=TOPIC, destination_identities=["reader"]
    )
    await writer.write(b"x")
    await around.clock.sleep(0.3)
    await sender.room.disconnect()
    await received.wait(around)
    return received.streams


@probe(
    "streams",
    "The reader disconnects in the middle?",
    "[1] ConnectionError Disconnected while receiving",
)
async def _reader_leaves(around: Surroundings) -> Sequence[str]:
    sender = await around.join("sender")
    reader = await around.join("reader")
    received = _Received(reader)
    writer = await sender.room.local_participant.stream_bytes(
        name="probe", topic=TOPIC, destination_identities=["reader"]
    )
    await writer.write(b"x")
    await around.clock.sleep(0.3)
    await reader.room.disconnect()
    await received.wait(around)
    return received.streams


@probe(
    "streams",
    "A stream to somebody who is not there; a second aclose(); a write after it?",
    "nobody hears",
    "RuntimeError Stream already closed",
    "RuntimeError Cannot write after stream is closed",
)
async def _misuse(around: Surroundings) -> Sequence[str]:
    sender = await around.join("sender")
    received = _Received(await around.join("reader"))
    writer = await sender.room.local_participant.stream_bytes(
        name="probe", topic=TOPIC, destination_identities=["nobody"]
    )
    await writer.write(b"x")
    await writer.aclose()
    await around.clock.sleep(0.3)
    seen = ["nobody hears" if not received.senders else "somebody hears"]
    for attempt in (writer.aclose(), writer.write(b"x")):
        try:
            await attempt
        except RuntimeError as error:
            seen.append(f"RuntimeError {error}")
    return seen


@probe(
    "streams",
    "Text in the name of somebody else, by an agent and by a standard participant?",
    "agent's text is from avatar",
    "standard's text is from standard",
)
async def _in_the_name_of(around: Surroundings) -> Sequence[str]:
    received = _Received(await around.join("reader"))
    kinds = ("agent", "standard")
    for kind in kinds:
        sender = await around.join(kind, kind=kind)
        writer = await sender.room.local_participant.stream_text(
            topic=TOPIC, sender_identity="avatar"
        )
        await writer.write("x")
        await writer.aclose()
        await received.wait(around)
    return [
        f"{kind}'s text is from {who}" for kind, who in zip(kinds, received.senders, strict=True)
    ]
