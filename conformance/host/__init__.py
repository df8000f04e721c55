"""What differs between livekit-agents versions, and every host internal that the kit touches."""

from __future__ import annotations

from .avatar import avatar_receiver, publish_on_behalf_attribute, reset_class_state

__all__ = ["avatar_receiver", "publish_on_behalf_attribute", "reset_class_state"]
