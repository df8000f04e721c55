"""The faults that a vendor's API can be made to show: REQUIREMENTS.md, family FAULT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FaultKind = Literal[
    "status",
    "refused",
    "reset-before-answer",
    "reset-inside-answer",
    "never-answers",
    "answers-slowly",
    "not-json",
    "json-of-wrong-type",
    "field-missing",
    "wrong-content-type",
    "redirect-to-undeclared-host",
    "socket-closed-at-once",
    "socket-closed-idle",
    "socket-closed-mid-speech",
    "socket-frame-not-json",
    "socket-never-connected",
]


@dataclass(frozen=True)
class Fault:
    """One way for a call of the vendor's API to go wrong.

    ``status`` is the HTTP status of a ``status`` fault; ``delay`` is in seconds and belongs to
    ``answers-slowly`` and ``socket-closed-idle``.
    """

    kind: FaultKind
    status: int | None = None
    delay: float = 0.0

    def __str__(self) -> str:
        return str(self.status) if self.status is not None else self.kind


STATUS_FAULTS = tuple(Fault("status", status=s) for s in (401, 403, 404, 429, 500, 503))
CONNECTION_FAULTS = (
    Fault("refused"),
    Fault("reset-before-answer"),
    Fault("reset-inside-answer"),
    Fault("never-answers"),
)
ANSWER_FAULTS = (
    Fault("not-json"),
    Fault("json-of-wrong-type"),
    Fault("field-missing"),
    Fault("wrong-content-type"),
    Fault("redirect-to-undeclared-host"),
)
SLOW = Fault("answers-slowly", delay=5.0)
SOCKET_FAULTS = (
    Fault("socket-closed-at-once"),
    Fault("socket-never-connected"),
)
"""WebSockets that never come to work."""
WORKING_SOCKET_FAULTS = (
    Fault("socket-closed-idle", delay=5.0),
    Fault("socket-closed-mid-speech"),
    Fault("socket-frame-not-json"),
)
"""WebSockets that have worked, and fail."""
