"""What the benchmark found, as docs/speed.md."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

HEAD = """\
# Speed

`tox -e bench -- --write docs/speed.md` made this page. It measures side by side, so that the ratios
hold on a machine that is faster or slower. `tox -e bench` prints them, and writes JSON.

{what}
"""

LIMITS = """\

## Where the time of one vendor's checks goes

| Share | Whose code |
|---|---|
{owners}

What is not `conformance` is the host that is tested, and what it stands on: a real `AgentSession`
for each check, with its transcript synchronizer, byte streams, RPC and HTTP client. `asyncio` is
the loop that all of it runs on. What limits the speed:

- The transcript synchronizer computes a spectrum of everything that is said, to tell how fast
  somebody speaks. A check of swaps needs speech, and needs the synchronizer in the chain.
- A segment that crosses a swap is counted in frames of 20 ms, as applications send them.
- A check gets a session of its own: what a plugin leaves behind must not be the next check's
  failure. What can be shared is shared: a start under one fault is played once for the six
  requirements that look at it, and what the host's own parts leave behind is played once for all.
- The cost of all vendors grows with the square of their number in one place: SWAP-09 swaps each for
  each other, twice while somebody speaks.

## The swap point

The endpoint's swap point stands in place of the host's, so a frame passes one of the two. A swap
costs more than the host's own call: it counts which segments a tail was given and how far each has
played, so that every one finishes once. A frame of 20 ms costs {frame:.2f} µs of CPU time there and
{host_frame:.2f} µs at the host's, a swap {swap:.1f} µs and {host_swap:.1f} µs.
"""


def page(found: Mapping[str, Any], goals: Sequence[Mapping[str, Any]]) -> str:
    """The page for what was ``found``, with the ``goals`` judged by it."""
    names = ("livekit-agents", "livekit", "aiohttp", "numpy")
    what = ", ".join(f"{name} {version(name)}" for name in names)
    lines = [
        HEAD.format(what=f"{what}, Python {platform.python_version()}."),
        "| | Found | Goal | |",
        "|---|---|---|---|",
        *(_row(goal) for goal in goals),
        "",
    ]
    points = found["swap_point"]
    return "\n".join(lines) + LIMITS.format(
        owners="\n".join(f"| {share:.0%} | {name} |" for name, share in found["owners"].items()),
        frame=points["endpoint"]["frame_us"],
        swap=points["endpoint"]["swap_us"],
        host_frame=points.get("host", points["endpoint"])["frame_us"],
        host_swap=points.get("host", points["endpoint"])["swap_us"],
    )


def _row(goal: Mapping[str, Any]) -> str:
    bound = f"{goal['most']:g} at most" if goal["least"] is None else f"{goal['least']:g} at least"
    met = "met" if goal["met"] else "missed"
    return f"| {goal['what']} | {goal['value']:.3g} | {bound} | {met} |"
