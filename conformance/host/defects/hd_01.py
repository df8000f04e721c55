"""HD-01: aclose() removes the avatar's own participant only, not a later one of its identity."""

from __future__ import annotations

from .mend import Mend, edits

MEND = Mend(
    edits(
        "livekit.agents.voice.avatar._types",
        (
            """\
        self._room = room
        self._agent_session = agent_session
""",
            """\
        self._room = room
        self._agent_session = agent_session
        # who has the identity now is another avatar's, and so is who comes after the next start
        present = room.remote_participants.get(self.avatar_identity)
        self._sid_at_start = present.sid if present is not None else None
        self._successor: AvatarSession | None = None
        key = (id(room), self.avatar_identity)
        if (previous := self._latest.get(key)) is not None and previous is not self:
            previous._successor = self
        self._latest[key] = self
""",
        ),
        (
            """\
            job_ctx = get_job_context(required=False)
            if job_ctx is not None:
                try:
""",
            """\
            job_ctx = get_job_context(required=False)
            if job_ctx is not None and self._owns_participant():
                try:
""",
        ),
        (
            """\
    async def _wait_avatar_join(self) -> None:
""",
            """\
    _latest: weakref.WeakValueDictionary[tuple[int, str], AvatarSession] = (
        weakref.WeakValueDictionary()
    )

    def _owns_participant(self) -> bool:
        assert self._room is not None
        present = self._room.remote_participants.get(self.avatar_identity)
        if present is None:
            return True
        if present.sid == self._sid_at_start:
            return False
        return self._successor is None or self._successor._sid_at_start == present.sid

    async def _wait_avatar_join(self) -> None:
""",
        ),
        ("import time\n", "import time\nimport weakref\n"),
    )
)
