"""The audible code: speech whose every 80 ms say, in two tones, which block of it they are.

A block is a low and a high tone, as a telephone key is. The pair counts: `PERIOD` pairs follow
each other before the first one comes again. Both tones lie in the band that a codec keeps for
speech at its lowest sample rate, and a block starts and ends softly, so that cutting one is heard
as a cut and as nothing else.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

BLOCK = 0.08
"""Length of a block in seconds: four packets of Opus at its usual 20 ms."""
LOW = tuple(500.0 + 100.0 * step for step in range(12))
"""The low tones in Hz."""
HIGH = tuple(1850.0 + 150.0 * step for step in range(12))
"""The high tones in Hz."""
PERIOD = len(LOW) * len(HIGH)
"""How many blocks are told apart: 11.5 s of speech."""
LEVEL = 0.28
"""Amplitude of each of the two tones; full scale is 1."""
EDGE = 0.004
"""How long a block takes to rise and to fall, in seconds."""

Samples = npt.NDArray[np.int16]


def tones(block: int) -> tuple[int, int]:
    """The places in `LOW` and `HIGH` of the two tones of ``block``.

    Both change from each block to the next.
    """
    place = block % PERIOD
    low = place % len(LOW)
    return low, (low + place // len(LOW)) % len(HIGH)


def block_of(low: int, high: int) -> int:
    """The block, from 0 to `PERIOD` less one, that has these tones."""
    return (high - low) % len(HIGH) * len(LOW) + low


@functools.lru_cache(maxsize=4 * PERIOD)
def _sound(place: int, sample_rate: int) -> Samples:
    low, high = tones(place)
    count = round(BLOCK * sample_rate)
    time = np.arange(count) / sample_rate
    edge = np.minimum(1.0, np.minimum(time + 1 / sample_rate, time[::-1] + 1 / sample_rate) / EDGE)
    wave = np.sin(2 * np.pi * LOW[low] * time) + np.sin(2 * np.pi * HIGH[high] * time)
    samples: Samples = np.round(LEVEL * 32767 * wave * np.sin(edge * np.pi / 2)).astype(np.int16)
    return samples


def encode(first: int, count: int, sample_rate: int) -> Samples:
    """``count`` blocks from ``first`` on, as 16 bit mono samples at ``sample_rate`` Hz."""
    if count == 0:
        return np.zeros(0, np.int16)
    return np.concatenate([_sound(n % PERIOD, sample_rate) for n in range(first, first + count)])


__all__ = ["BLOCK", "HIGH", "LOW", "PERIOD", "Samples", "block_of", "encode", "tones"]
