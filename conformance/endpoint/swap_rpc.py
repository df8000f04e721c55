"""The RPC by which participants of the room ask for another avatar."""

from __future__ import annotations

import inspect
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Union

from livekit import rtc

if TYPE_CHECKING:
    from .switcher import Avatar

logger = logging.getLogger(__name__)

BAD_REQUEST = 400
"""Error code for a payload that names no avatar, or one that the factory does not know."""


@dataclass(frozen=True)
class SwapRequest:
    """What a participant asked for: the avatar's name, further options, and who asked."""

    avatar: str
    options: Mapping[str, object] = field(default_factory=dict)
    caller: str = ""

    async def make(self, factory: AvatarFactory) -> Avatar:
        """The avatar, made by ``factory``; raises `rtc.RpcError` when it knows none like it."""
        try:
            made = factory(self)
            return await made if inspect.isawaitable(made) else made
        except (ValueError, LookupError) as error:
            reason = error.args[0] if error.args else type(error).__name__
            raise rtc.RpcError(BAD_REQUEST, f"no avatar {self.avatar!r}: {reason}") from error


AvatarFactory = Callable[[SwapRequest], Union["Avatar", Awaitable["Avatar"]]]


def serve_swaps(
    room: rtc.Room, perform: Callable[[SwapRequest], Awaitable[None]], method: str
) -> Callable[[], None]:
    """Answer calls of ``method`` by ``perform``; returns a function that ends it."""
    participant = room.local_participant

    async def answer(data: rtc.RpcInvocationData) -> str:
        request = _parse(data)
        try:
            await perform(request)
        except rtc.RpcError:
            raise
        except Exception as error:  # the caller is to hear of it, whatever it was
            logger.warning("swap to %r failed", request.avatar, exc_info=True)
            raise rtc.RpcError(
                rtc.RpcError.ErrorCode.APPLICATION_ERROR, str(error) or type(error).__name__
            ) from error
        return json.dumps({"avatar": request.avatar})

    participant.register_rpc_method(method, answer)
    return lambda: participant.unregister_rpc_method(method)


def _parse(data: rtc.RpcInvocationData) -> SwapRequest:
    payload = data.payload.strip()
    asked: Any = payload
    if payload[:1] in ("{", '"'):
        try:
            asked = json.loads(payload)
        except ValueError as error:
            raise rtc.RpcError(BAD_REQUEST, f"the payload is not valid JSON: {error}") from None
    options: dict[str, object] = {}
    if isinstance(asked, dict):
        options = {name: value for name, value in asked.items() if name != "avatar"}
        asked = asked.get("avatar")
    if not isinstance(asked, str) or not asked:
        raise rtc.RpcError(
            BAD_REQUEST,
            'the payload names no avatar: send its name, or {"avatar": "<name>", ...}',
        )
    return SwapRequest(asked, options, data.caller_identity)
