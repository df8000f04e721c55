"""One speech that two avatars share, because one replaced the other in the middle of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .avatar import Avatar
from .scene import Scene
from .speech import FRAME_SECONDS, Speech
from .swap_order import CLOSE_THEN_START

SEAM = 0.06
"""Seconds of audio, on their way to an avatar, that a real server drops when it is removed."""

ONCE = "old and new avatar together hear every frame once, in order"
GAP = ", but for those spoken between the call of aclose() and the end of start()"


@dataclass(frozen=True)
class SwappedSpeech:
    """A ``speech`` in the middle of which avatars were exchanged in ``order``.

    The exchange ``began`` and ``ended`` at these moments, in seconds by the scene's clock. Between
    the two an agent that closes first has no avatar: who speaks on then is heard by nobody. An
    agent that starts first always has one.
    """

    speech: Speech
    order: str
    began: float
    ended: float
    seam: float

    @classmethod
    async def across(
        cls, scene: Scene, old: Avatar, order: str, speech: Speech, **options: Any
    ) -> tuple[SwappedSpeech, Avatar]:
        """Exchange ``old`` now, while ``speech`` is spoken; also returns the new avatar."""
        began = scene.clock.now()
        new = await scene.exchange(old, order, **options)
        seam = 0.0 if scene.clock.virtual else SEAM
        return cls(speech, order, began, scene.clock.now(), seam), new

    @property
    def expectation(self) -> str:
        """What both avatars are to hear, in words."""
        return ONCE + (GAP if self.order == CLOSE_THEN_START else "")

    @property
    def span(self) -> tuple[float, float]:
        """How much of the speech had been pushed when the exchange began, and when it ended."""
        return self._seconds(self.began), self._seconds(self.ended)

    @property
    def gap(self) -> float:
        """How many seconds of the speech may be heard by nobody."""
        begin, end = self.span
        without = end - begin + FRAME_SECONDS if self.order == CLOSE_THEN_START else 0.0
        return without + self.seam

    def heard_once(self, old: bytes, new: bytes) -> bool:
        """Whether each frame was heard once, by ``old`` or then by ``new``, but for the gap."""
        whole = self.speech.pcm
        rate = 2 * self.speech.sample_rate
        left_off, went_on = len(old) / rate, (len(whole) - len(new)) / rate
        if not (whole.startswith(old) and whole.endswith(new) and left_off <= went_on):
            return False
        begin, end = self.span
        if self.order == CLOSE_THEN_START:
            margin = FRAME_SECONDS + self.seam + 1e-6
            return begin - margin <= left_off and went_on <= end + margin
        return bool(old and new) and went_on - left_off <= self.seam

    def _seconds(self, at: float) -> float:
        return len(self.speech.pushed_before(at)) / 2 / self.speech.sample_rate


__all__ = ["SEAM", "SwappedSpeech"]
