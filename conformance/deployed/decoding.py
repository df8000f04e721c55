"""Decodes the audible code: which blocks were heard in a stretch of sound, and when."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from .audible_code import BLOCK, HIGH, LOW, PERIOD, Samples, block_of

WINDOW = 0.03
"""Length of the stretch that one decision is made of, in seconds."""
HOP = 0.01
"""From one decision to the next, in seconds."""
AGREEING = 3
"""How many decisions in a row a block is heard by: some 30 ms of its 80 are then there."""
TWICE = 14
"""From how many decisions in a row a block has been played twice without a pause."""
QUIET = 0.01
"""Amplitude under which there is silence; full scale is 1."""
DOMINANCE = 1.6
"""How much stronger a tone is than every other one of its group."""
PURITY = 0.5
"""The share of the energy that the two tones must have."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class HeardBlock:
    """A block that was heard: from ``start`` to ``end``, in seconds of the stretch.

    ``number`` counts on beyond `PERIOD`: the nearest to the block before that has its tones.
    """

    number: int
    start: float
    end: float


def decode(samples: Samples, sample_rate: int, *, near: int = 0) -> tuple[HeardBlock, ...]:
    """The blocks in ``samples`` (16 bit, mono), oldest first.

    ``near`` is a number close to the first one. What is no block is passed over.
    """
    heard = []
    last = near
    for symbol, start, length in _runs(_symbols(samples, sample_rate)):
        if length < AGREEING:
            continue
        last += (symbol - last + PERIOD // 2) % PERIOD - PERIOD // 2
        begin, end = start * HOP, (start + length - 1) * HOP + WINDOW
        if length < TWICE:
            middle = (begin + end) / 2
            half = min(BLOCK, end - begin) / 2
            heard.append(HeardBlock(last, round(middle - half, 4), round(middle + half, 4)))
            continue
        times = max(2, round((end - begin) / BLOCK))
        step = (end - begin) / times
        heard += [
            HeardBlock(last, round(begin + n * step, 4), round(begin + (n + 1) * step, 4))
            for n in range(times)
        ]
    return tuple(heard)


def _symbols(samples: Samples, sample_rate: int) -> npt.NDArray[np.int64]:
    """The block that each window has, or -1."""
    length, hop = round(WINDOW * sample_rate), round(HOP * sample_rate)
    count = (len(samples) - length) // hop + 1
    if count < 1:
        return np.zeros(0, np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(samples, length)[::hop][:count]
    projections, taper = _projections(length, sample_rate)
    found = np.empty(count, np.int64)
    for begin in range(0, count, 4096):  # bounds the memory that minutes of sound take
        piece = windows[begin : begin + 4096] / 32768.0 * taper
        strength = np.abs(piece @ projections.T)
        found[begin : begin + 4096] = _decide(strength, np.sum(piece * piece, axis=1), taper)
    return found


def _decide(strength: Floats, energy: Floats, taper: Floats) -> npt.NDArray[np.int64]:
    low, high = strength[:, : len(LOW)], strength[:, len(LOW) :]
    amplitudes = []
    clear = np.ones(len(strength), np.bool_)
    for group in (low, high):
        ordered = np.sort(group, axis=1)
        amplitudes.append(2 * ordered[:, -1] / np.sum(taper))
        clear &= ordered[:, -1] > DOMINANCE * ordered[:, -2]
        clear &= amplitudes[-1] > QUIET
    of_tones = (amplitudes[0] ** 2 + amplitudes[1] ** 2) / 2 * np.sum(taper * taper)
    clear &= of_tones > PURITY * np.maximum(energy, 1e-12)
    best_low, best_high = np.argmax(low, axis=1), np.argmax(high, axis=1)
    return np.where(clear, block_of_each(best_low, best_high), -1)


def block_of_each(low: npt.NDArray[np.int64], high: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """`block_of`, for many."""
    return np.array([block_of(int(a), int(b)) for a, b in zip(low, high, strict=True)], np.int64)


@functools.lru_cache(maxsize=8)
def _projections(length: int, sample_rate: int) -> tuple[npt.NDArray[np.complex128], Floats]:
    time = np.arange(length) / sample_rate
    tones = np.array([*LOW, *HIGH])[:, None]
    return np.exp(-2j * np.pi * tones * time), np.hanning(length)


def _runs(symbols: npt.NDArray[np.int64]) -> Iterator[tuple[int, int, int]]:
    """Each block that windows in a row agree on: its symbol, its first window, how many."""
    start = 0
    for place in range(1, len(symbols) + 1):
        if place < len(symbols) and symbols[place] == symbols[start]:
            continue
        if symbols[start] >= 0:
            yield int(symbols[start]), start, place - start
        start = place


__all__ = ["HeardBlock", "decode"]
