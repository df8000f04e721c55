"""What differs between livekit-agents versions, and every host internal that the kit touches."""

from __future__ import annotations

from .avatar import avatar_receiver, publish_on_behalf_attribute, reset_class_state
from .bindings import watch_bindings
from .events import is_swap_point, listener_counts, listeners
from .residue import origin, residue
from .session import start_session

__all__ = [
    "avatar_receiver",
    "is_swap_point",
    "listener_counts",
    "listeners",
    "origin",
    "publish_on_behalf_attribute",
    "reset_class_state",
    "residue",
    "start_session",
    "watch_bindings",
]
