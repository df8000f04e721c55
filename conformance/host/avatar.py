"""The host's avatar outputs and receivers."""

from __future__ import annotations

from livekit import rtc
from livekit.agents.voice.avatar import DataStreamAudioOutput, DataStreamAudioReceiver


def publish_on_behalf_attribute() -> str:
    """The participant attribute that names the agent an avatar publishes for."""
    from livekit.agents.voice.room_io import ATTRIBUTE_PUBLISH_ON_BEHALF

    return str(ATTRIBUTE_PUBLISH_ON_BEHALF)


def avatar_receiver(room: rtc.Room, *, sender_identity: str | None) -> DataStreamAudioReceiver:
    """A receiver with call handlers of its own.

    The host keeps them in a dict of the class, by the sender's identity. Workers are processes of
    their own, so two of them in one process must not share it.
    """
    own = type("WorkerReceiver", (DataStreamAudioReceiver,), {"_clear_buffer_handlers": {}})
    receiver: DataStreamAudioReceiver = own(room, sender_identity=sender_identity)
    return receiver


def reset_class_state() -> None:
    """Forget what outputs of earlier checks left in the host's class-level dicts."""
    for name in ("_playback_finished_handlers", "_playback_started_handlers"):
        handlers = getattr(DataStreamAudioOutput, name, None)
        if handlers is not None:
            handlers.clear()
