"""An audio endpoint of an agent that can be exchanged while it speaks, on livekit-agents 1.6.0 on.

`swap_audio_endpoint(session.output, sink)` binds a new tail below the wrappers and returns a
`Binding`; its `unbind()` touches nothing that someone else has bound since. `AvatarSwitcher`
exchanges whole avatars, and can be asked to by the room's participants (`register_rpc`).
"""

from __future__ import annotations

from .binding import Binding, current_endpoint, insert_swap_point, swap_audio_endpoint
from .swap_point import SwapPoint, Unbound
from .swap_request import Avatar, AvatarFactory, Order, SwapError, SwapRequest
from .switcher import BEFORE, AvatarSwitcher

__all__ = [
    "BEFORE",
    "Avatar",
    "AvatarFactory",
    "AvatarSwitcher",
    "Binding",
    "Order",
    "SwapError",
    "SwapPoint",
    "SwapRequest",
    "Unbound",
    "current_endpoint",
    "insert_swap_point",
    "swap_audio_endpoint",
]
