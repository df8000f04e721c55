"""The sound avatar: the reference avatar, and what the host leaves to do for a robust one."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from livekit import rtc

from conformance.endpoint import Binding, swap_audio_endpoint

from .avatar import ReferenceAvatar

if TYPE_CHECKING:
    from livekit.agents import AgentSession

logger = logging.getLogger(__name__)

LEAVE_TIMEOUT = 10.0
"""How long it waits for the room's API when it is closed, in seconds."""


class SoundAvatar(ReferenceAvatar):
    """Passes every check on every host that has a swap point.

    Beyond the reference avatar it takes its endpoint out of the chain when it is closed or its
    worker leaves, binds a new one when the worker comes back, does not wait for the room for ever,
    and leaves alone a participant of the same identity that is somebody else's.
    """

    def __init__(self, *, api_key: str | None = None, identity: str | None = None) -> None:
        super().__init__(api_key=api_key, identity=identity)
        self._participant_sid: str | None = None
        self._watched: rtc.Room | None = None
        self._binding: Binding | None = None
        self._gone = False

    @property
    def avatar_identity(self) -> str:
        """The identity of the avatar's participant; of nobody, once that one is gone."""
        return f"{self._identity} (left)" if self._gone else self._identity

    async def start(self, agent_session: AgentSession[Any], room: rtc.Room, **options: Any) -> None:
        """Start, and watch the worker come and go."""
        self._gone = False
        self._participant_sid = None
        known = room.remote_participants.get(self._identity)
        foreign = known.sid if known is not None else None

        def active(participant: rtc.RemoteParticipant) -> None:
            if participant.identity == self._identity and participant.sid != foreign:
                self._on_active(participant)

        self._active = active
        self._watched = room
        room.on("participant_active", active)
        room.on("participant_disconnected", self._on_left)
        await super().start(agent_session, room, **options)

    async def _release(self) -> None:
        self._unbind()
        await super()._release()

    async def _leave_room(self) -> None:
        if self._watched is not None:
            self._watched.off("participant_active", self._active)
            self._watched.off("participant_disconnected", self._on_left)
            present = self._watched.remote_participants.get(self._identity)
            self._gone = present is not None and present.sid != self._participant_sid
            self._watched = None
        try:
            await asyncio.wait_for(super()._leave_room(), LEAVE_TIMEOUT)
        except asyncio.TimeoutError:
            logger.warning("reference: the room did not answer; the participant may stay")
        self._gone = False

    def _bind(self) -> None:
        self._binding = swap_audio_endpoint(self._output, self._sink())

    def _unbind(self) -> None:
        if self._binding is not None:
            self._binding.unbind()
            self._binding = None

    def _on_active(self, participant: rtc.RemoteParticipant) -> None:
        if self._participant_sid is None:
            self._participant_sid = participant.sid
            if self._output is not None and self._binding is None:
                self._bind()

    def _on_left(self, participant: rtc.RemoteParticipant) -> None:
        if participant.sid == self._participant_sid:
            self._participant_sid = None
            self._unbind()
