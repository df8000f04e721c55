from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from conformance import host
from conformance.endpoint import SwapRequest
from conformance.suite.scene.scene import mint
from conformance.suite.scene.speech import Speech
from tests.endpoint.call import RATE, Call, PluginAvatar, play

PAGE = Path(__file__).resolve().parents[2] / "docs" / "agents.md"


def example() -> dict[str, Any]:
    """What the first Python block of the page defines."""
    block = re.search(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert block is not None
    names: dict[str, Any] = {}
    exec(compile(block[1], str(PAGE), "exec"), names)
    return names


def test_the_agent_of_the_page_changes_its_avatar_when_asked() -> None:
    """Both avatars together hear the whole speech, and nothing is left when the session closes."""
    names = example()

    async def scenario(call: Call) -> None:
        avatars: dict[str, PluginAvatar] = {}

        def make(request: SwapRequest) -> PluginAvatar:
            avatars[request.avatar] = PluginAvatar(call, request.avatar, joins_after=1.0)
            return avatars[request.avatar]

        async def connect() -> None:
            """The room is connected."""

        sessions: list[Any] = []

        def session() -> Any:
            sessions.append(host.new_session())
            return sessions[-1]

        names.update(make=make, AgentSession=session)
        await names["entrypoint"](SimpleNamespace(connect=connect, room=call.room))
        (call.session,) = sessions
        user = await call.stage.server.join(mint(call.stage, "user", kind="standard"))
        speech = Speech("one two three", 6.0, RATE, 0, call.stage.clock, paced=True)
        speech.handle = call.session.say(speech.text, audio=speech.frames())
        await asyncio.sleep(1)
        answer = await user.local_participant.perform_rpc(
            destination_identity="agent", method="swap_avatar", payload="leo"
        )
        assert json.loads(answer) == {"avatar": "leo"}
        await call.over(speech)
        assert avatars["mia"].tail.pcm + avatars["leo"].tail.pcm == speech.pcm
        assert call.billing == ["leo"]
        await call.session.aclose()
        await asyncio.sleep(1)
        assert call.billing == []
        await user.disconnect()

    play(scenario)
