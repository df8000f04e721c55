"""rtc's own message types, made without the FFI.

The properties of rtc's public classes read these messages, so the loopback classes hold them too.
rtc exports them from its private package only; this module is the one place that reaches there.
"""

from __future__ import annotations

from typing import Any

from livekit import rtc
from livekit.api.access_token import Claims
from livekit.rtc._proto import participant_pb2, room_pb2, track_pb2

_KINDS = {
    "": rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
    "standard": rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD,
    "ingress": rtc.ParticipantKind.PARTICIPANT_KIND_INGRESS,
    "egress": rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS,
    "sip": rtc.ParticipantKind.PARTICIPANT_KIND_SIP,
    "agent": rtc.ParticipantKind.PARTICIPANT_KIND_AGENT,
}


def participant(claims: Claims, sid: str, joined_at: float, client_protocol: int) -> Any:
    """A participant that is joining with these claims; ``joined_at`` in seconds since 1970."""
    grants = claims.video
    assert grants is not None
    info = participant_pb2.ParticipantInfo(
        sid=sid,
        name=claims.name,
        identity=claims.identity,
        state=rtc.ParticipantState.PARTICIPANT_STATE_JOINING,
        metadata=claims.metadata,
        kind=_KINDS.get(claims.kind, _KINDS[""]),
        disconnect_reason=rtc.DisconnectReason.UNKNOWN_REASON,
    )
    info.attributes.update(claims.attributes or {})
    set_if_known(info, "joined_at", int(joined_at * 1000))
    set_if_known(info, "client_protocol", client_protocol)
    permission = info.permission
    permission.can_subscribe = grants.can_subscribe
    permission.can_publish = grants.can_publish
    permission.can_publish_data = grants.can_publish_data
    permission.hidden = bool(grants.hidden)
    permission.can_update_metadata = bool(grants.can_update_own_metadata)
    for name in grants.can_publish_sources or ():
        permission.can_publish_sources.append(rtc.TrackSource.Value(f"SOURCE_{name.upper()}"))
    set_if_known(permission, "can_subscribe_metrics", False)
    set_if_known(permission, "can_manage_agent_session", False)
    return info


def room(name: str, sid: str, metadata: str, creation_time: int, participants: int) -> Any:
    """A room, as a participant is told of it; ``creation_time`` in milliseconds since 1970."""
    info = room_pb2.RoomInfo(sid=sid, name=name, metadata=metadata)
    set_if_known(info, "creation_time", creation_time)
    set_if_known(info, "num_participants", participants)
    return info


def track(sid: str, name: str, kind: int, *, remote: bool) -> Any:
    """A track."""
    info = track_pb2.TrackInfo(sid=sid, name=name, muted=False, remote=remote)
    info.kind = kind  # type: ignore[assignment]  # rtc's enums are ints
    info.stream_state = rtc.StreamState.STATE_ACTIVE
    return info


def publication(sid: str, name: str, kind: int, source: int) -> Any:
    """The publication of a track."""
    info = track_pb2.TrackPublicationInfo(sid=sid, name=name, muted=False)
    info.kind = kind  # type: ignore[assignment]  # rtc's enums are ints
    info.source = source  # type: ignore[assignment]
    info.mime_type = "video/VP8" if kind == rtc.TrackKind.KIND_VIDEO else "audio/opus"
    return info


def set_if_known(message: Any, field: str, value: Any) -> None:
    """Set a field that older rtc versions do not have."""
    if field in message.DESCRIPTOR.fields_by_name:
        setattr(message, field, value)
