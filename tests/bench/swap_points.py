"""What a frame and a swap cost at the kit's swap point, and at the host's own.

``python -m tests.bench.swap_points`` prints JSON: microseconds of CPU time, the best of several
rounds, by mechanism; the host's are left out where it has no swap point.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from dataclasses import dataclass

from livekit import rtc
from livekit.agents.voice import io

from conformance import host
from conformance.endpoint.early_capture import leave_host_alone
from conformance.suite.scene.host_chain import EndpointSwap, HostSwap, SwapMechanism, Wrapper

FRAMES, SWAPS, ROUNDS = 1000, 200, 80


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


@dataclass
class Best:
    """The quickest round so far of one mechanism, in seconds for each frame and each swap."""

    kit: SwapMechanism
    frame: float = math.inf
    swap: float = math.inf

    async def another_round(self) -> None:
        """Swap the tails of an idle chain, then push frames into an open segment."""
        frame = rtc.AudioFrame(bytes(960), 24000, 1, 480)
        root = self.kit.wrap(Sink("first"), Wrapper)
        output = self.kit.agent_output()
        output.audio = root
        tails = [Sink("one"), Sink("two")]
        began = time.process_time()
        for number in range(SWAPS):
            self.kit.swap(output, tails[number % 2])
        self.swap = min(self.swap, (time.process_time() - began) / SWAPS)
        began = time.process_time()
        for _ in range(FRAMES):
            await root.capture_frame(frame)
        self.frame = min(self.frame, (time.process_time() - began) / FRAMES)


async def main() -> None:
    """Measure both by turns, and print."""
    leave_host_alone()  # its own cost, without what the endpoint adds to it
    kits: list[SwapMechanism] = [EndpointSwap()]
    if host.has_swap_call():
        kits.append(HostSwap())
    found = [Best(kit) for kit in kits]
    for _ in range(ROUNDS):
        for best in found:
            await best.another_round()
    print(
        json.dumps(
            {
                best.kit.label: {"frame_us": best.frame * 1e6, "swap_us": best.swap * 1e6}
                for best in found
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main())
