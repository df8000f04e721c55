"""A speech that two avatars share: what may be missing of it, and what may not."""

from __future__ import annotations

import pytest

from conformance.plugin.room import Clock
from conformance.suite.scene.speech import Pushed, Speech, samples
from conformance.suite.scene.swap_order import CLOSE_THEN_START, START_THEN_CLOSE
from conformance.suite.scene.swapped_speech import SwappedSpeech

RATE = 1000


class Stopped:
    """A clock that stands still."""

    virtual = True

    def now(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nobody sleeps here")


def swapped(order: str, *, seam: float = 0.0) -> SwappedSpeech:
    """A speech of 3 s, one frame pushed every 20 ms, with an exchange from 1.0 s to 1.6 s."""
    clock: Clock = Stopped()
    speech = Speech("", 3.0, RATE, 0, clock, paced=True)
    for index in range(150):
        speech.pushed.append(Pushed(index * 0.02, samples(index * 20, 20)))
    return SwappedSpeech(speech, order, 1.0, 1.6, seam)


def part(begin: float, end: float) -> bytes:
    """A part of the speech, from one second to another."""
    return samples(round(begin * RATE), round((end - begin) * RATE))


@pytest.mark.parametrize(
    ("order", "old", "new", "whole"),
    [
        (START_THEN_CLOSE, part(0, 1.3), part(1.3, 3), True),
        (START_THEN_CLOSE, part(0, 1.3), part(1.32, 3), False),
        (CLOSE_THEN_START, part(0, 1.0), part(1.6, 3), True),
        (CLOSE_THEN_START, part(0, 1.3), part(1.6, 3), True),
        (CLOSE_THEN_START, part(0, 0.9), part(1.6, 3), False),
        (CLOSE_THEN_START, part(0, 1.0), part(1.7, 3), False),
        (CLOSE_THEN_START, part(0, 1.3), part(1.2, 3), False),
        (CLOSE_THEN_START, part(0, 1.0), part(1.6, 2.9), False),
        (CLOSE_THEN_START, part(0.1, 1.0), part(1.6, 3), False),
    ],
)
def test_only_what_is_spoken_while_there_is_no_avatar_may_be_missing(
    order: str, old: bytes, new: bytes, whole: bool
) -> None:
    """Before the exchange the old avatar hears all of it, after it the new one, and none twice."""
    assert swapped(order).heard_once(old, new) is whole


def test_a_real_server_may_drop_what_is_on_its_way() -> None:
    """The seam is allowed in real time alone."""
    parts = part(0, 1.3), part(1.34, 3)
    assert swapped(START_THEN_CLOSE, seam=0.06).heard_once(*parts)
    assert not swapped(START_THEN_CLOSE).heard_once(*parts)
