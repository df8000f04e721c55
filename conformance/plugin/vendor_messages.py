"""Messages in the room by which a plugin tells its vendor something: data messages and RPCs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livekit import rtc


@dataclass(frozen=True)
class DataMessage:
    """A data message to the avatar's participant.

    ``body`` is the JSON Schema of its payload; None takes any. ``topic`` None takes any topic,
    and lets every message pass by that ``body`` does not accept.
    """

    name: str
    body: Mapping[str, Any] | None = None
    topic: str | None = None
    ends_session: bool = False
    """It ends the vendor session that this participant belongs to (UNBIND-05)."""


@dataclass(frozen=True)
class RpcCall:
    """An RPC to the avatar's participant.

    ``body`` is the JSON Schema of its payload; None takes any string. ``answer`` is the string that
    is answered, or a function of the decoded payload that returns it.
    """

    name: str
    method: str
    body: Mapping[str, Any] | None = None
    answer: str | Callable[[Any], str] = ""
    ends_session: bool = False
    """It ends the vendor session that this participant belongs to (UNBIND-05)."""


RoomMessage = DataMessage | RpcCall
Told = Callable[[RoomMessage, Any], bool]
"""Is told of a message and its decoded payload; says whether the vendor could make sense of it."""


def listen(room: rtc.Room, messages: Sequence[RoomMessage], told: Told) -> None:
    """Hand every one of ``messages`` that reaches the participant in ``room`` to ``told``."""
    by_data = [each for each in messages if isinstance(each, DataMessage)]

    def on_data(packet: rtc.DataPacket) -> None:
        for message in by_data:
            if message.topic in (None, packet.topic or "") and told(message, decoded(packet.data)):
                return

    if by_data:
        room.on("data_received", on_data)
    for message in messages:
        if isinstance(message, RpcCall):
            room.local_participant.register_rpc_method(message.method, _handler(message, told))


def _handler(message: RpcCall, told: Told) -> Callable[[rtc.RpcInvocationData], Any]:
    async def handle(call: rtc.RpcInvocationData) -> str:
        from livekit import rtc

        payload = decoded(call.payload)
        if not told(message, payload):
            raise rtc.RpcError(rtc.RpcError.ErrorCode.APPLICATION_ERROR, "not understood")
        return message.answer(payload) if callable(message.answer) else message.answer

    return handle


def decoded(payload: bytes | str) -> Any:
    """The payload's JSON, or itself where it is none."""
    try:
        return json.loads(payload)
    except ValueError:
        return payload
