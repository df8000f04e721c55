"""Avatars that leave the room by themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.plugin.manifest import Manifest
from conformance.results.outcomes import NotApplicable

if TYPE_CHECKING:
    from .avatar import Avatar
    from .scene import Scene


def without_worker(manifest: Manifest) -> str | None:
    """The rule for a provider whose avatar is no participant, or None."""
    if manifest.capabilities.joins_room:
        return None
    return "the avatar has no participant of its own (capability joins_room)"


async def started_with_worker(scene: Scene) -> Avatar:
    """An avatar that has started, its worker in the room; raises `NotApplicable` where none is."""
    avatar = await scene.started()
    expect_worker(avatar)
    return avatar


def expect_worker(avatar: Avatar) -> None:
    """Raise `NotApplicable` where no worker of ``avatar`` joins."""
    if not avatar.workers:
        raise NotApplicable("no worker joins")


async def let_leave(scene: Scene, avatar: Avatar) -> None:
    """Let every worker of ``avatar`` leave the room."""
    for worker in avatar.workers:
        scene.count["departures"] += worker.in_room
        await worker.leave()
