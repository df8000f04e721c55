"""The demo: an agent that speaks through an avatar, and a page that asks for another avatar.

Everything runs on one LiveKit server: the agent, its avatars (each a participant that the host's
`AvatarRunner` plays, with a drawn wave), and the browser, which joins like any user.
"""

from __future__ import annotations

from .performance import Performance
from .site import Site

__all__ = ["Performance", "Site"]
