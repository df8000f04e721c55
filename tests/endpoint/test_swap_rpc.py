from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest
from livekit import rtc

from conformance.endpoint import AvatarSwitcher, SwapRequest
from conformance.loopback.stage import LoopbackRunner
from conformance.stage.interface import Stage
from conformance.suite.scene.scene import mint


class NamedAvatar:
    """An avatar that takes two seconds to start."""

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self._log = log

    async def start(self, agent_session: Any, room: rtc.Room) -> None:
        self._log.append(f"start {self.name}")
        await asyncio.sleep(2)
        if self.name == "broke":
            raise RuntimeError("no credit left")
        self._log.append(f"started {self.name}")

    async def aclose(self) -> None:
        self._log.append(f"close {self.name}")


Ask = Callable[[str], Awaitable[str]]


def play(scenario: Callable[[Ask, list[str], list[SwapRequest]], Awaitable[None]]) -> None:
    """Run ``scenario`` with an agent that serves the RPC and a user who asks."""

    async def main(stage: Stage) -> None:
        agent = await stage.server.join(mint(stage, "agent", kind="agent"))
        user = await stage.server.join(mint(stage, "user", kind="standard"))
        log: list[str] = []
        requests: list[SwapRequest] = []

        async def factory(request: SwapRequest) -> NamedAvatar:
            requests.append(request)
            if request.avatar not in ("anna", "bert", "broke"):
                raise LookupError("there are anna, bert and broke")
            return NamedAvatar(request.avatar, log)

        session: Any = SimpleNamespace(output=_output())
        switcher = AvatarSwitcher(session, agent)
        end = switcher.register_rpc(agent, factory)

        async def ask(payload: str) -> str:
            return await user.local_participant.perform_rpc(
                destination_identity="agent", method="swap_avatar", payload=payload
            )

        await scenario(ask, log, requests)
        end()
        with pytest.raises(rtc.RpcError) as caught:
            await ask("anna")
        assert caught.value.code == rtc.RpcError.ErrorCode.UNSUPPORTED_METHOD
        await user.disconnect()
        await agent.disconnect()

    LoopbackRunner().run(main)


def _output() -> Any:
    from livekit.agents.voice import io

    return io.AgentOutput(lambda: None, lambda: None, lambda: None)


@pytest.mark.parametrize("payload", ["anna", " anna\n", '"anna"', '{"avatar": "anna"}'])
def test_a_participant_asks_for_an_avatar_by_name(payload: str) -> None:
    """A plain name, a JSON string and a JSON object are understood, and the caller is answered."""

    async def scenario(ask: Ask, log: list[str], requests: list[SwapRequest]) -> None:
        assert json.loads(await ask(payload)) == {"avatar": "anna"}
        assert log == ["start anna", "started anna"]
        assert requests == [SwapRequest("anna", {}, "user")]

    play(scenario)


def test_options_reach_the_factory() -> None:
    """What else is in the JSON object is handed on."""

    async def scenario(ask: Ask, log: list[str], requests: list[SwapRequest]) -> None:
        await ask('{"avatar": "anna", "background": "blue"}')
        assert requests[0].options == {"background": "blue"}

    play(scenario)


def test_two_at_once_are_served_one_after_the_other() -> None:
    """Both callers get an answer, and the second swap begins when the first is done."""

    async def scenario(ask: Ask, log: list[str], requests: list[SwapRequest]) -> None:
        answers = await asyncio.gather(ask("anna"), ask("bert"))
        assert [json.loads(answer)["avatar"] for answer in answers] == ["anna", "bert"]
        assert log == ["start anna", "started anna", "close anna", "start bert", "started bert"]

    play(scenario)


@pytest.mark.parametrize(
    ("payload", "code", "message"),
    [
        ("", 400, 'the payload names no avatar: send its name, or {"avatar": "<name>", ...}'),
        ("{}", 400, 'the payload names no avatar: send its name, or {"avatar": "<name>", ...}'),
        ('{"avatar": 7}', 400, "the payload names no avatar"),
        ('{"avatar"', 400, "the payload is not valid JSON"),
        ("carl", 400, "no avatar 'carl': there are anna, bert and broke"),
        ("broke", 1500, "the new avatar did not start: no credit left; no avatar is bound now"),
    ],
)
def test_a_request_that_cannot_be_met_is_answered_by_an_error(
    payload: str, code: int, message: str
) -> None:
    """The caller hears what was wrong, and the next request is served."""

    async def scenario(ask: Ask, log: list[str], requests: list[SwapRequest]) -> None:
        with pytest.raises(rtc.RpcError) as caught:
            await ask(payload)
        assert caught.value.code == code
        assert caught.value.message.startswith(message)
        assert json.loads(await ask("anna")) == {"avatar": "anna"}

    play(scenario)
