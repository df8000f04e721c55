"""What a check sees of an exception, a start that is cancelled, and a recorded speech."""

from __future__ import annotations

import asyncio

import pytest

from conformance.suite.checks.fault_start import Cancelling
from conformance.suite.scene.expect import audio_difference
from conformance.suite.scene.speech import samples
from conformance.suite.scene.start_attempts import Raised


def test_an_exception_is_put_into_words_with_all_its_causes() -> None:
    """The chain has the class and message of every cause, and knows a network error."""
    try:
        try:
            raise ConnectionResetError("peer went away")
        except ConnectionResetError as error:
            raise ValueError("no session") from error
    except ValueError as error:
        raised = Raised.of(error, lambda text: ())
    assert raised.summary == "ValueError: no session"
    assert "ConnectionResetError: peer went away" in raised.chain
    assert raised.network


def test_a_suppressed_cause_is_not_part_of_the_explanation() -> None:
    """What `raise ... from None` hides is hidden from the check as well."""
    try:
        try:
            raise ConnectionResetError("peer went away")
        except ConnectionResetError:
            raise ValueError("no session") from None
    except ValueError as error:
        raised = Raised.of(error, lambda text: ())
    assert not raised.network


@pytest.mark.asyncio
async def test_a_coroutine_is_cancelled_at_the_await_that_was_asked_for() -> None:
    """Cancelled at its second await, a coroutine has passed the first and not the second."""
    passed = []

    async def steps() -> None:
        for number in (1, 2, 3):
            await asyncio.sleep(0)
            passed.append(number)

    cancelling = Cancelling(steps(), 2)
    task = asyncio.ensure_future(cancelling.run())
    await asyncio.wait([task])
    assert (task.cancelled(), cancelling.reached, passed) == (True, True, [1])


@pytest.mark.asyncio
async def test_a_coroutine_with_fewer_awaits_runs_to_its_end() -> None:
    """An await that is never reached cancels nothing, and says so."""
    cancelling = Cancelling(asyncio.sleep(0), 5)
    await cancelling.run()
    assert not cancelling.reached


@pytest.mark.parametrize(
    ("begin", "end", "words"),
    [
        (0, 0, "none of the audio"),
        (0, 12000, "only the first 0.500 s"),
        (12000, 24000, "only the last 0.500 s"),
        (6000, 12000, "a piece from the middle"),
    ],
)
def test_a_difference_in_audio_is_said_in_words(begin: int, end: int, words: str) -> None:
    """A reader learns which part of a speech was heard."""
    whole = samples(0, 24000)
    assert audio_difference(whole, whole[2 * begin : 2 * end], 24000).startswith(words)


def test_missing_frames_are_located() -> None:
    """A gap in the middle is named with its place and length."""
    whole = samples(0, 24000)
    got = whole[: 2 * 9600] + whole[2 * 10080 :]
    assert "20 ms missing at 400 ms" in audio_difference(whole, got, 24000)
