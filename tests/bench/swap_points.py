"""What a frame and a swap cost at the kit's swap point, and at the host's own.

``python -m tests.bench.swap_points`` prints JSON: microseconds of CPU time, the best of several
rounds, by mechanism; the host's are left out where it has no swap point.
"""

from __future__ import annotations

import asyncio
import json
import time

from livekit import rtc
from livekit.agents.voice import io

from conformance import host
from conformance.suite.scene.host_chain import EndpointSwap, HostSwap, SwapMechanism, Wrapper

FRAMES, SWAPS, ROUNDS = 3000, 500, 7


class Sink(io.AudioOutput):
    """A tail that throws away what it gets."""

    def __init__(self, label: str) -> None:
        super().__init__(label=label, capabilities=io.AudioOutputCapabilities(pause=False))

    async def capture_frame(self, frame: rtc.AudioFrame) -> None:
        """Take a frame."""
        await super().capture_frame(frame)

    def flush(self) -> None:
        """Take note of the segment's end."""
        super().flush()

    def clear_buffer(self) -> None:
        """Do nothing: there is nothing."""


async def measure(kit: SwapMechanism) -> dict[str, float]:
    """Microseconds for each frame of an open segment, and for each swap of an idle chain."""
    frame = rtc.AudioFrame(bytes(960), 24000, 1, 480)
    per_frame, per_swap = [], []
    for _ in range(ROUNDS):
        root = kit.wrap(Sink("first"), Wrapper)
        output = kit.agent_output()
        output.audio = root
        tails = [Sink("one"), Sink("two")]
        began = time.process_time()
        for number in range(SWAPS):
            kit.swap(output, tails[number % 2])
        per_swap.append((time.process_time() - began) / SWAPS)
        began = time.process_time()
        for _ in range(FRAMES):
            await root.capture_frame(frame)
        per_frame.append((time.process_time() - began) / FRAMES)
    return {"frame_us": min(per_frame) * 1e6, "swap_us": min(per_swap) * 1e6}


async def main() -> None:
    """Measure both and print."""
    kits: list[SwapMechanism] = [EndpointSwap()]
    if host.has_swap_call():
        kits.append(HostSwap())
    print(json.dumps({kit.label: await measure(kit) for kit in kits}))


if __name__ == "__main__":
    asyncio.run(main())
