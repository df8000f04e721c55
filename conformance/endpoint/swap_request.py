"""What is asked of a switcher: an avatar, in an order, by name or by hand."""

from __future__ import annotations

import enum
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from livekit import rtc
from livekit.agents import AgentSession


class Avatar(Protocol):
    """What the switcher needs of an avatar; every `AvatarSession` of livekit-agents has it."""

    async def start(self, agent_session: AgentSession[Any], room: rtc.Room) -> None:
        """Start the avatar and bind its audio endpoint."""

    async def aclose(self) -> None:
        """End the avatar."""


class Order(enum.Enum):
    """Which of the two happens first in a swap."""

    CLOSE_THEN_START = "close-then-start"
    START_THEN_CLOSE = "start-then-close"


class SwapError(RuntimeError):
    """The new avatar could not be put in place.

    ``kept`` says whether the one before it goes on speaking; otherwise nothing of the switcher's
    is bound, and the chain is whole.
    """

    def __init__(self, message: str, *, kept: bool) -> None:
        self.kept = kept
        super().__init__(message)


@dataclass(frozen=True)
class SwapRequest:
    """What a participant asked for: the avatar's name, further options, and who asked."""

    avatar: str
    options: Mapping[str, object] = field(default_factory=dict)
    caller: str = ""

    @property
    def wish(self) -> str:
        """The avatar and the options as one text, the same for all who ask for the same."""
        return json.dumps([self.avatar, self.options], sort_keys=True)


AvatarFactory = Callable[[SwapRequest], Avatar | Awaitable[Avatar]]
"""Makes the avatar of a request; raises ValueError or LookupError for one that it doesn't know."""


def same_identity(one: object, other: object) -> bool:
    """Whether both avatars are the same participant of the room, by what they say themselves."""
    identity = getattr(one, "avatar_identity", None)
    return identity is not None and identity == getattr(other, "avatar_identity", None)
