"""Starting an AgentSession: its parameters differ between host versions."""

from __future__ import annotations

import inspect
from typing import Any

from livekit import rtc
from livekit.agents import Agent, AgentSession

_RECORDING = {"audio": True, "traces": False, "logs": False, "transcript": False}


def new_session() -> AgentSession[None]:
    """An agent session that only speaks: it loads no model to hear the end of a user's turn.

    The default detector of later hosts costs 250 MB, and a third of a second in each process. Nor
    does it take an interruption back: nobody listens, and the host would warn of every tail that
    cannot pause.
    """
    if "turn_handling" not in inspect.signature(AgentSession).parameters:
        return AgentSession()
    return AgentSession(
        turn_handling={
            "turn_detection": None,
            "interruption": {"resume_false_interruption": False},
        }
    )


async def start_session(
    session: AgentSession[None], agent: Agent, *, room: rtc.Room, record: bool
) -> None:
    """Start ``session`` in ``room``, recording its audio to the job's directory if ``record``."""
    known = inspect.signature(AgentSession.start).parameters
    options: dict[str, Any] = {"room": room}
    if "session_host" in known:
        options["session_host"] = False
    if "record" in known:
        options["record"] = _RECORDING if record else False
    await session.start(agent, **options)


def is_over(session: AgentSession[Any]) -> bool:
    """Whether ``session`` is being closed. One that has not started yet is not."""
    return bool(getattr(session, "_closing_task", None) or getattr(session, "_closing", False))
