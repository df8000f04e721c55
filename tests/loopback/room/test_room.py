"""Joining, leaving, eviction, data and permissions in the in-memory room."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from livekit import api, rtc

from conformance.loopback.room.room import LoopbackRoom
from conformance.loopback.room.server import LOST_AFTER, LoopbackServer
from tests.loopback.in_memory_room import CREDENTIALS, listen, mint, play


def test_a_room_looks_like_the_real_one() -> None:
    """What the host tells apart by class is of the real classes."""

    async def scenario(server: LoopbackServer) -> None:
        room = await server.join(mint("a"))
        await server.join(mint("b"))
        await server.clock.sleep(0)
        assert isinstance(room, rtc.Room)
        assert isinstance(room.local_participant, rtc.LocalParticipant)
        assert isinstance(room.remote_participants["b"], rtc.RemoteParticipant)
        assert room.isconnected()
        assert room.name == "demo"
        assert await room.sid == "RM_00000001"

    play(scenario)


def test_what_a_plugin_may_log_can_be_printed() -> None:
    """repr() of the room, before, while and after it is joined, and of whoever is in it."""

    async def scenario(server: LoopbackServer) -> None:
        joined, never = await server.join(mint("a")), LoopbackRoom(server)
        await server.join(mint("b"))
        await server.clock.sleep(0)
        source = rtc.VideoSource(16, 16)
        track = rtc.LocalVideoTrack.create_video_track("picture", source)
        publication = await joined.local_participant.publish_track(track)
        in_it = (joined.local_participant, joined.remote_participants["b"], publication, track)
        assert all(repr(each) for each in (joined, never, *in_it))
        await joined.disconnect()
        assert "demo" in repr(joined)

    play(scenario)


def test_claims_reach_the_others() -> None:
    """Name, kind, attributes and metadata of the token are the participant's."""

    async def scenario(server: LoopbackServer) -> None:
        room = await server.join(mint("a"))
        token = (
            api.AccessToken(CREDENTIALS.api_key, CREDENTIALS.api_secret)
            .with_identity("b")
            .with_name("Bee")
            .with_kind("agent")
            .with_metadata("meta")
            .with_attributes({"x": "1"})
            .with_grants(api.VideoGrants(room_join=True, room="demo"))
            .to_jwt()
        )
        await server.join(token)
        await server.clock.sleep(0.1)
        bee = room.remote_participants["b"]
        assert (bee.name, bee.metadata, bee.attributes) == ("Bee", "meta", {"x": "1"})
        assert bee.kind == rtc.ParticipantKind.PARTICIPANT_KIND_AGENT
        assert bee.state == rtc.ParticipantState.PARTICIPANT_STATE_ACTIVE

    play(scenario)


@pytest.mark.parametrize(
    ("token", "why"),
    [
        (lambda: mint("a", room_join=False), "no roomJoin grant"),
        (lambda: mint("a", ttl=-120), "expired"),
        (lambda: mint("a") + "x", "invalid token"),
        (lambda: "nonsense", "invalid token"),
    ],
)
def test_a_bad_token_is_refused_with_the_reason(token: Callable[[], str], why: str) -> None:
    """A token that is wrong in any way raises ConnectError, which says how."""

    async def scenario(server: LoopbackServer) -> str:
        with pytest.raises(rtc.ConnectError) as caught:
            await server.join(token())
        return str(caught.value.message)

    assert why in play(scenario)


def test_a_token_expires_by_the_stages_clock() -> None:
    """A token that is good now is refused after its time on the virtual clock."""

    async def scenario(server: LoopbackServer) -> str:
        token = mint("a", ttl=600)
        await server.clock.sleep(700)
        with pytest.raises(rtc.ConnectError) as caught:
            await server.join(token)
        return str(caught.value.message)

    assert "expired" in play(scenario)


def test_another_servers_url_is_refused() -> None:
    """A participant that dials elsewhere does not get in."""

    async def scenario(server: LoopbackServer) -> None:
        with pytest.raises(rtc.ConnectError) as caught:
            await server.join(mint("a"), url="wss://elsewhere.test")
        assert "no LiveKit server" in caught.value.message

    play(scenario)


def test_joining_publishing_and_leaving_in_the_servers_order() -> None:
    """Others hear connected, active, published, subscribed; then the reverse and the reason."""

    async def scenario(server: LoopbackServer) -> None:
        room = await server.join(mint("a"))
        heard = listen(room)
        other = await server.join(mint("b"))
        own = listen(other)
        await server.publish_video(other)
        await server.clock.sleep(0.1)
        participant = room.remote_participants["b"]
        await other.disconnect()
        await server.clock.sleep(0.1)
        assert heard == [
            "connection_state_changed",
            "participant_connected",
            "participant_active",
            "track_published",
            "track_subscribed",
            "track_unsubscribed",
            "track_unpublished",
            "participant_disconnected",
        ]
        assert own == [
            "connection_state_changed",
            "local_track_published",
            "local_track_subscribed",
            "local_track_unpublished",
            "connection_state_changed",
            "disconnected",
        ]
        assert participant.disconnect_reason == rtc.DisconnectReason.CLIENT_INITIATED

    play(scenario)


def test_a_second_of_one_identity_evicts_the_first() -> None:
    """The first is told DUPLICATE_IDENTITY, the others see one leave and one come."""

    async def scenario(server: LoopbackServer) -> None:
        room = await server.join(mint("a"))
        first = await server.join(mint("b"))
        await server.clock.sleep(0.1)
        heard, reasons = listen(room), []
        first.on("disconnected", reasons.append)
        second = await server.join(mint("b"))
        await server.clock.sleep(0.1)
        assert heard == ["participant_disconnected", "participant_connected", "participant_active"]
        assert reasons == [rtc.DisconnectReason.DUPLICATE_IDENTITY]
        assert not first.isconnected()
        assert second.isconnected()
        assert list(server.participants("demo")) == ["a", "b"]

    play(scenario)


def test_the_one_of_an_identity_hears_what_is_sent_until_the_next_has_joined() -> None:
    """Joining takes time: the one before is in the room meanwhile, and takes what is sent."""

    async def scenario(server: LoopbackServer) -> None:
        room = await server.join(mint("a"))
        first = await server.join(mint("b"))
        heard: list[str] = []
        first.on("data_received", lambda packet: heard.append("first"))
        joining = asyncio.ensure_future(server.join(mint("b")))
        await server.clock.sleep(0.1)
        await room.local_participant.publish_data(b"x", destination_identities=["b"])
        second = await joining
        second.on("data_received", lambda packet: heard.append("second"))
        await room.local_participant.publish_data(b"y", destination_identities=["b"])
        await server.clock.sleep(0.1)
        assert heard == ["first", "second"]

    play(scenario)


def test_a_dropped_connection_resumes_with_nothing_lost() -> None:
    """Data sent while a participant reconnects reaches it afterwards, in order."""

    async def scenario(server: LoopbackServer) -> None:
        room = await server.join(mint("a"))
        other = await server.join(mint("b"))
        await server.clock.sleep(0.1)
        heard, packets = listen(room), []
        room.on("data_received", lambda packet: packets.append(packet.data))
        await server.drop(room, seconds=3)
        assert room.isconnected()
        for number in range(3):
            await other.local_participant.publish_data(bytes([number]))
        await server.clock.sleep(2.9)
        assert packets == []
        await server.clock.sleep(0.2)
        assert packets == [b"\0", b"\1", b"\2"]
        assert heard == [
            "connection_state_changed",
            "reconnecting",
            "connection_state_changed",
            "reconnected",
        ]

    play(scenario)


def test_a_connection_dropped_for_good_ends_on_both_sides() -> None:
    """Without a resumption both sides give the connection up in bounded time."""

    async def scenario(server: LoopbackServer) -> None:
        room = await server.join(mint("a"))
        other = await server.join(mint("b"))
        await server.clock.sleep(0.1)
        heard = listen(other)
        await server.drop(room)
        await server.clock.sleep(LOST_AFTER + 0.1)
        assert not room.isconnected()
        assert heard == ["participant_disconnected"]

    play(scenario)


def test_publishing_without_the_grant_fails() -> None:
    """A token without canPublish cannot publish a track."""

    async def scenario(server: LoopbackServer) -> None:
        room = await server.join(mint("a", can_publish=False))
        with pytest.raises(rtc.participant.PublishTrackError):
            await server.publish_video(room)

    play(scenario)


def test_data_without_the_grant_reaches_nobody() -> None:
    """A token without canPublishData sends into the void, as on a real server."""

    async def scenario(server: LoopbackServer) -> None:
        room = await server.join(mint("a", can_publish_data=False))
        other = await server.join(mint("b"))
        packets: list[Any] = []
        other.on("data_received", packets.append)
        await room.local_participant.publish_data("hello")
        await server.clock.sleep(0.1)
        assert packets == []

    play(scenario)


def test_a_data_packet_tells_its_topic_and_sender() -> None:
    """The receiver of a data packet learns who sent it and on which topic."""

    async def scenario(server: LoopbackServer) -> None:
        room = await server.join(mint("a"))
        other = await server.join(mint("b"))
        packets: list[rtc.DataPacket] = []
        room.on("data_received", packets.append)
        await other.local_participant.publish_data("hello", topic="greeting")
        await server.clock.sleep(0.1)
        (packet,) = packets
        assert (packet.data, packet.topic) == (b"hello", "greeting")
        assert packet.participant is room.remote_participants["b"]

    play(scenario)


@pytest.mark.parametrize("granted", [True, False])
def test_attributes_change_only_with_the_grant(granted: bool) -> None:
    """set_attributes reaches everybody with canUpdateOwnMetadata and does nothing without."""

    async def scenario(server: LoopbackServer) -> None:
        room = await server.join(mint("a"))
        other = await server.join(mint("b", can_update_own_metadata=granted))
        await server.clock.sleep(0.1)
        changes: list[Any] = []
        room.on("participant_attributes_changed", lambda changed, _: changes.append(changed))
        await other.local_participant.set_attributes({"mood": "good"})
        await server.clock.sleep(0.1)
        assert changes == ([{"mood": "good"}] if granted else [])
        assert other.local_participant.attributes == ({"mood": "good"} if granted else {})

    play(scenario)


def test_nothing_is_delivered_inside_the_senders_call() -> None:
    """A listener runs later than the call that caused its event."""

    async def scenario(server: LoopbackServer) -> None:
        room = await server.join(mint("a"))
        other = await server.join(mint("b"))
        await server.clock.sleep(0.1)
        heard = listen(room)
        assert isinstance(other, LoopbackRoom)
        server.leave(other.link, rtc.DisconnectReason.CLIENT_INITIATED)
        assert heard == []
        await server.clock.sleep(0)
        assert heard == ["participant_disconnected"]

    play(scenario)


def test_a_hop_takes_its_time() -> None:
    """With latency a packet arrives exactly that much later."""

    async def scenario(server: LoopbackServer) -> None:
        room = await server.join(mint("a"))
        other = await server.join(mint("b"))
        await server.clock.sleep(1)
        arrivals: list[float] = []
        room.on("data_received", lambda _: arrivals.append(server.clock.now()))
        sent = server.clock.now()
        await other.local_participant.publish_data("hello")
        await server.clock.sleep(1)
        assert [round(at - sent, 6) for at in arrivals] == [0.25]

    play(scenario, latency=0.25)
