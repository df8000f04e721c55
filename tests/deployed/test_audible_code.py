"""The audible code: what was encoded is decoded, and what is missing or twice is told."""

from __future__ import annotations

import numpy as np
import pytest

from conformance.deployed.audible_code import BLOCK, PERIOD, block_of, encode, tones
from conformance.deployed.decoding import decode
from tests.deployed.opus_loss import measure

RATE = 16000


def _silence(seconds: float, rate: int = RATE) -> np.ndarray:
    return np.zeros(round(seconds * rate), np.int16)


def _numbers(samples: np.ndarray, rate: int = RATE, near: int = 0) -> list[int]:
    return [block.number for block in decode(samples, rate, near=near)]


def test_each_block_of_a_period_has_tones_of_its_own() -> None:
    """No two blocks of a period share both tones, and the tones give the block back."""
    assert {tones(n) for n in range(PERIOD)} == {tones(n) for n in range(PERIOD, 2 * PERIOD)}
    assert [block_of(*tones(n)) for n in range(PERIOD)] == list(range(PERIOD))


@pytest.mark.parametrize("rate", [8000, 16000, 24000, 48000])
def test_blocks_are_decoded_at_every_sample_rate(rate: int) -> None:
    """What was encoded is decoded in order, each block once, beyond a period too."""
    count = PERIOD + 10
    assert _numbers(encode(0, count, rate), rate) == list(range(count))


def test_times_are_those_of_the_sound() -> None:
    """A block is heard where it is in the sound, within one decision."""
    (block,) = decode(np.concatenate([_silence(0.5), encode(7, 1, RATE), _silence(0.2)]), RATE)
    assert (block.number, round(block.start, 2)) == (7, pytest.approx(0.5, abs=0.03))


def test_missing_blocks_are_not_heard() -> None:
    """A hole in the sound is a hole in the numbers."""
    sound = np.concatenate([encode(0, 4, RATE), encode(7, 3, RATE)])
    assert _numbers(sound) == [0, 1, 2, 3, 7, 8, 9]


def test_a_block_that_is_cut_short_is_not_heard() -> None:
    """15 of 80 ms of a block are no block."""
    cut = encode(4, 1, RATE)[: round(0.015 * RATE)]
    assert _numbers(np.concatenate([encode(0, 4, RATE), cut, _silence(0.1)])) == [0, 1, 2, 3]


@pytest.mark.parametrize("second", [3, 2])
def test_a_repeated_block_is_heard_twice(second: int) -> None:
    """A block that plays again, at once or a little later, is there twice."""
    sound = np.concatenate([encode(0, 4, RATE), encode(second, 4 - second, RATE), _silence(0.1)])
    assert _numbers(sound) == [0, 1, 2, 3, *range(second, 4)]


def test_silence_and_noise_are_no_blocks() -> None:
    """Nothing is heard in silence, nor in noise as loud as speech."""
    noise = np.random.default_rng(1).integers(-8000, 8000, RATE).astype(np.int16)
    assert decode(_silence(1.0), RATE) == ()
    assert decode(noise, RATE) == ()


def test_numbers_go_on_from_the_one_that_is_near() -> None:
    """A stretch that starts in a later period is counted from where the caller says."""
    first = 3 * PERIOD + 5
    assert _numbers(encode(first, 3, RATE), near=first) == [first, first + 1, first + 2]


def test_opus_leaves_every_block() -> None:
    """At 24 kbit/s and no loss every block is heard, once, and none that was not sent."""
    quality = measure(24000, 0.0)
    assert (quality.missed, quality.wrong, quality.repeated) == (0, 0, 0)


def test_lost_packets_make_no_block_of_another_one() -> None:
    """At 5 % of lost packets blocks go missing, few of them, and none is taken for another."""
    quality = measure(24000, 0.05)
    assert quality.wrong == 0
    assert quality.missed <= 0.03 * quality.sent


def test_a_block_takes_80_ms() -> None:
    """Blocks follow each other without a pause."""
    assert len(encode(3, 5, RATE)) == round(5 * BLOCK * RATE)
