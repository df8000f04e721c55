"""HD-05: aclose() waits for the room's API for a limited time."""

from __future__ import annotations

from .mend import Mend, edits

MEND = Mend(
    edits(
        "livekit.agents.voice.avatar._types",
        (
            """\
                    await job_ctx.api.room.remove_participant(
                        api.RoomParticipantIdentity(
                            room=self._room.name,
                            identity=self.avatar_identity,
                        )
                    )
""",
            """\
                    await asyncio.wait_for(
                        job_ctx.api.room.remove_participant(
                            api.RoomParticipantIdentity(
                                room=self._room.name,
                                identity=self.avatar_identity,
                            )
                        ),
                        timeout=5.0,
                    )
""",
        ),
    )
)
