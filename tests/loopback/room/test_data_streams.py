"""Byte and text streams in the in-memory room."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from livekit import api, rtc

from conformance.loopback.room import data_streams as streams
from conformance.loopback.room.server import LoopbackServer
from conformance.loopback.virtual_time.event_loop import VirtualClock, run_virtual
from conformance.plugin.room import Credentials
from conformance.results.timeline import Timeline

CREDENTIALS = Credentials(
    "wss://conformance.livekit.test", "key", "a-secret-of-at-least-32-bytes-for-it"
)


tells = pytest.mark.skipif(
    not streams.BREAKS_OFF, reason="this rtc does not tell a reader that its stream broke off"
)


class Pair:
    """Two participants; what ``receiver`` is sent on topic ``t`` gathers here."""

    def __init__(self, server: LoopbackServer, sender: rtc.Room, receiver: rtc.Room) -> None:
        self.server = server
        self.sender = sender
        self.receiver = receiver
        self.readers: list[Any] = []
        self.senders: list[str] = []
        self.chunks: list[Any] = []
        self.error: Exception | None = None
        self._tasks: list[asyncio.Task[None]] = []
        receiver.register_byte_stream_handler("t", self._opened)
        receiver.register_text_stream_handler("t", self._opened)

    def _opened(self, reader: Any, identity: str) -> None:
        self.readers.append(reader)
        self.senders.append(identity)
        self._tasks.append(asyncio.get_running_loop().create_task(self._read(reader)))

    async def _read(self, reader: Any) -> None:
        try:
            async for chunk in reader:
                self.chunks.append(chunk)
        except streams.StreamError as error:
            self.error = error

    async def settled(self) -> None:
        """Everything on its way has arrived."""
        await self.server.clock.sleep(0.1)


def play(scenario: Any) -> None:
    """Run a scenario with two participants, ``a`` and ``b``."""

    async def main(clock: VirtualClock) -> None:
        server = LoopbackServer(clock=clock, timeline=Timeline(clock.now), credentials=CREDENTIALS)
        try:
            pair = Pair(server, await server.join(_mint("a")), await server.join(_mint("b")))
            await pair.settled()
            await scenario(pair)
        finally:
            await server.aclose()

    run_virtual(main)


def _mint(identity: str) -> str:
    token = api.AccessToken(CREDENTIALS.api_key, CREDENTIALS.api_secret).with_identity(identity)
    return token.with_grants(api.VideoGrants(room_join=True, room="demo")).to_jwt()


def test_a_byte_stream_arrives_whole_in_pieces_of_15_kb() -> None:
    """Header, chunks of at most 15,000 bytes for each write, and the trailer's attributes."""

    async def scenario(pair: Pair) -> None:
        writer = await pair.sender.local_participant.stream_bytes(
            "song", topic="t", attributes={"rate": "1"}
        )
        await writer.write(b"x" * 40_000)
        await writer.write(b"")
        await writer.write(b"y")
        await writer.aclose(attributes={"end": "yes"})
        await pair.settled()
        assert [len(chunk) for chunk in pair.chunks] == [15_000, 15_000, 10_000, 1]
        info = pair.readers[0].info
        assert (info.name, info.topic, info.mime_type) == ("song", "t", "application/octet-stream")
        assert info.attributes == {"rate": "1", "end": "yes"}
        assert pair.senders == ["a"]
        assert pair.error is None

    play(scenario)


def test_a_text_is_never_cut_inside_a_character() -> None:
    """Chunks of a long text of two-byte characters join to the same text."""

    async def scenario(pair: Pair) -> None:
        text = "a" + "é" * 20_000
        await pair.sender.local_participant.send_text(text, topic="t")
        await pair.settled()
        assert "".join(pair.chunks) == text
        assert all(len(chunk.encode()) <= 15_000 for chunk in pair.chunks)

    play(scenario)


def test_a_topic_without_a_handler_is_ignored() -> None:
    """Nobody hears a stream whose topic nobody asked for, and the sender is not told."""

    async def scenario(pair: Pair) -> None:
        await pair.sender.local_participant.send_bytes(b"x", topic="other")
        await pair.settled()
        assert pair.readers == []

    play(scenario)


def test_only_the_destinations_get_a_stream() -> None:
    """A stream for somebody else does not arrive, one for this participant does."""

    async def scenario(pair: Pair) -> None:
        local = pair.sender.local_participant
        await local.send_bytes(b"1", topic="t", destination_identities=["nobody"])
        await local.send_bytes(b"2", topic="t", destination_identities=["b"])
        await pair.settled()
        assert pair.chunks == [b"2"]

    play(scenario)


@tells
def test_a_sender_that_leaves_breaks_its_stream_off() -> None:
    """The reader gets what was sent, then StreamError that names the sender."""

    async def scenario(pair: Pair) -> None:
        writer = await pair.sender.local_participant.stream_bytes("song", topic="t")
        await writer.write(b"x")
        await pair.sender.disconnect()
        await pair.settled()
        assert pair.chunks == [b"x"]
        assert "Participant a unexpectedly disconnected" in str(pair.error)

    play(scenario)


@tells
def test_the_readers_own_disconnect_breaks_the_stream_off() -> None:
    """A read that waits raises when its room disconnects."""

    async def scenario(pair: Pair) -> None:
        await pair.sender.local_participant.stream_bytes("song", topic="t")
        await pair.settled()
        await pair.receiver.disconnect()
        await pair.settled()
        assert str(pair.error) == "Disconnected while receiving"

    play(scenario)


@tells
@pytest.mark.parametrize(
    ("announced", "sent", "error"),
    [(2, b"xxx", "read length exceeded"), (3, b"x", "incomplete"), (1, b"x", "None")],
)
def test_a_stream_is_as_long_as_announced(announced: int, sent: bytes, error: str) -> None:
    """More or less than the header's total size is an error at the reader."""

    async def scenario(pair: Pair) -> None:
        writer = await pair.sender.local_participant.stream_bytes(
            "song", topic="t", total_size=announced
        )
        await writer.write(sent)
        await writer.aclose()
        await pair.settled()
        assert error in str(pair.error)

    play(scenario)


@tells
def test_a_reason_makes_the_end_abnormal() -> None:
    """aclose with a reason raises at the reader, after all chunks."""

    async def scenario(pair: Pair) -> None:
        writer = await pair.sender.local_participant.stream_bytes("song", topic="t")
        await writer.write(b"x")
        await writer.aclose(reason="because")
        await pair.settled()
        assert pair.chunks == [b"x"]
        assert str(pair.error) == "stream closed abnormally: because"

    play(scenario)


def test_a_closed_writer_refuses_more() -> None:
    """Writing or closing after aclose raises RuntimeError, as the real writer."""

    async def scenario(pair: Pair) -> None:
        writer = await pair.sender.local_participant.stream_bytes("song", topic="t")
        await writer.aclose()
        with pytest.raises(RuntimeError, match="after stream is closed"):
            await writer.write(b"x")
        with pytest.raises(RuntimeError, match="already closed"):
            await writer.aclose()

    play(scenario)


def test_a_stream_cannot_be_opened_when_disconnected() -> None:
    """After the own disconnect opening raises StreamError."""

    async def scenario(pair: Pair) -> None:
        await pair.sender.disconnect()
        with pytest.raises(streams.StreamError):
            await pair.sender.local_participant.stream_bytes("song", topic="t")

    play(scenario)


def test_one_topic_has_one_handler() -> None:
    """A second handler for a topic is refused until the first is unregistered."""

    async def scenario(pair: Pair) -> None:
        with pytest.raises(ValueError, match="already set"):
            pair.receiver.register_byte_stream_handler("t", lambda *_: None)
        pair.receiver.unregister_byte_stream_handler("t")
        pair.receiver.register_byte_stream_handler("t", lambda *_: None)

    play(scenario)


def test_a_reader_that_was_closed_ends() -> None:
    """Closing a reader ends a read that waits, without an error."""

    async def scenario(pair: Pair) -> None:
        await pair.sender.local_participant.stream_bytes("song", topic="t")
        await pair.settled()
        await pair.readers[0].aclose()
        await pair.settled()
        assert pair.error is None
        assert pair.chunks == []

    play(scenario)
