"""Avatars that are being closed, by whoever asked for it and after he has gone."""

from __future__ import annotations

import asyncio
import logging

from .avatar_binding import AvatarBinding
from .swap_request import Avatar, same_identity

logger = logging.getLogger(__name__)


class Closings:
    """Closes avatars, each in a task that nobody cancels.

    ``patience`` is for how many seconds a closing is waited for.
    """

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._closing: dict[asyncio.Future[None], Avatar] = {}
        self._strays: set[asyncio.Future[None]] = set()

    def begin(self, binding: AvatarBinding) -> asyncio.Future[None]:
        """Close the avatar of ``binding``; returns what :meth:`wait` waits for."""
        task = binding.run(_close(binding.avatar))
        self._closing[task] = binding.avatar
        task.add_done_callback(lambda done: self._closing.pop(done, None))
        if binding.starting is not None and not binding.starting.done():
            stray = binding.run(_close_after(binding.starting, task, binding.avatar))
            self._strays.add(stray)
            stray.add_done_callback(self._strays.discard)
        return task

    async def wait(self, closing: asyncio.Future[None]) -> bool:
        """Wait for a closing that has begun; returns whether it has ended in time."""
        await asyncio.wait({closing}, timeout=self._patience)
        if not closing.done():
            logger.warning(
                "failed to close the avatar within %g s; that goes on in the background",
                self._patience,
            )
        return closing.done()

    async def wait_for_identity(self, avatar: Avatar) -> bool:
        """Wait for the closings of avatars that are the same participant as ``avatar``."""
        same = [task for task, other in self._closing.items() if same_identity(other, avatar)]
        if same:
            await asyncio.wait(same, timeout=self._patience)
        return all(task.done() for task in same)

    async def finish(self) -> None:
        """Wait for all closings, as long as for one; what takes longer goes on in the background.

        None is cancelled: a vendor's session that nobody ends bills on.
        """
        left = {*self._closing, *self._strays}
        if left:
            await asyncio.wait(left, timeout=self._patience)
        late = sum(not task.done() for task in left)
        if late:
            logger.error("%d avatars are still being closed after %g s", late, self._patience)


async def _close(avatar: Avatar) -> None:
    try:
        await avatar.aclose()
    except Exception:  # an avatar that cannot be closed must not keep the next one out
        logger.warning("failed to close the avatar", exc_info=True)


async def _close_after(
    starting: asyncio.Future[None], closing: asyncio.Future[None], avatar: Avatar
) -> None:
    """Close once more an avatar whose start goes on although it was cancelled."""
    await asyncio.wait({starting, closing})
    if not starting.cancelled() and starting.exception() is not None:
        logger.debug("the start that was given up raised", exc_info=starting.exception())
    await _close(avatar)
