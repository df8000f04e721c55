"""How well the audible code is decoded after Opus: ``python -m tests.deployed.opus_loss``.

Speech in code is encoded with Opus as a LiveKit client does, packets of 20 ms are dropped in the
pattern of a seed, and the rest is decoded. A dropped packet is 20 ms of silence, which is less than
any receiver makes of it. Prints the table of docs/deployed.md.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
import numpy.typing as npt

from conformance.deployed.audible_code import PERIOD, encode, tones
from conformance.deployed.decoding import decode

RATE = 48000
PACKET = RATE // 50
BLOCKS = 2 * PERIOD
BITRATES = (16000, 24000, 48000)
LOSSES = (0.0, 0.02, 0.05, 0.10)


@dataclass(frozen=True)
class Quality:
    """What became of the blocks that were sent, in numbers; tones are two for each block."""

    sent: int
    missed: int
    wrong: int
    repeated: int
    wrong_tones: int


def through_opus(
    samples: npt.NDArray[np.int16], bitrate: int, loss: float, seed: int
) -> npt.NDArray[np.int16]:
    """``samples`` at `RATE` after Opus, with a share of ``loss`` of the packets lost."""
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = RATE, "mono", "s16"
    encoder.bit_rate = bitrate
    encoder.options = {"application": "voip", "frame_duration": "20"}
    decoder = av.CodecContext.create("libopus", "r")
    decoder.sample_rate, decoder.layout = RATE, "mono"
    lost = random.Random(seed)
    packets = []
    for start in range(0, len(samples) - PACKET + 1, PACKET):
        frame = av.AudioFrame.from_ndarray(
            samples[None, start : start + PACKET], format="s16", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    pieces = []
    for packet in packets:
        kept = lost.random() >= loss
        decoded = [frame.to_ndarray() for frame in decoder.decode(packet)]
        for sound in decoded:
            if sound.dtype != np.int16:
                sound = np.clip(sound * 32767, -32768, 32767).astype(np.int16)
            pieces.append(sound[0] if kept else np.zeros_like(sound[0]))
    return np.concatenate(pieces)


def measure(bitrate: int, loss: float, seed: int = 1) -> Quality:
    """Send `BLOCKS` blocks and count what is decoded of them."""
    silence = np.zeros(RATE // 2, np.int16)
    sent = np.concatenate([silence, encode(0, BLOCKS, RATE), silence])
    heard = decode(through_opus(sent, bitrate, loss, seed), RATE)
    times = Counter(block.number for block in heard)
    strange = [number for number in times if not 0 <= number < BLOCKS]
    wrong_tones = sum(
        a != b
        for number in strange
        for a, b in zip(tones(number), tones(min(max(number, 0), BLOCKS - 1)), strict=True)
    )
    return Quality(
        BLOCKS,
        sum(number not in times for number in range(BLOCKS)),
        len(strange),
        sum(count > 1 for count in times.values()),
        wrong_tones,
    )


def main() -> None:
    """Print the table."""
    print("| bit rate | packets lost | blocks sent | missed | wrong | heard twice |")
    print("|---|---|---|---|---|---|")
    for bitrate in BITRATES:
        for loss in LOSSES:
            runs = [measure(bitrate, loss, seed) for seed in range(1, 6)]
            sums = [sum(getattr(run, name) for run in runs) for name in Quality.__annotations__]
            print(
                f"| {bitrate // 1000} kbit/s | {loss:.0%} | {sums[0]} | {sums[1]} | {sums[2]} | "
                f"{sums[3]} |"
            )


if __name__ == "__main__":
    main()
