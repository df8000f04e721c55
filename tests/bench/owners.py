"""Where the time of one vendor's checks goes: a share for each package whose code was running.

``python -m tests.bench.owners`` prints JSON. A timer of CPU time looks every millisecond at which
Python function is running, so what a function spends in C is its own. What the standard library
and numpy do is whose who called them, but for asyncio's loop. Imports are left out, by running the
checks once before.
"""

from __future__ import annotations

import json
import logging
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import FrameType

from conformance.certification.options import Options
from conformance.certification.plan import PlannedCheck
from conformance.certification.preparation import prepare
from conformance.loopback.stage import LoopbackRunner
from conformance.suite.runner.runner import CheckRunner

ROOT = Path(__file__).resolve().parents[2]
VENDOR = "anam"
INTERVAL = 0.001
HOST = (
    ("livekit/agents/voice/transcription", "livekit-agents, transcript synchronizer"),
    ("livekit/agents", "livekit-agents, the rest"),
    ("livekit/plugins", "the plugin"),
    ("livekit/rtc", "livekit (rtc)"),
    ("livekit/api", "livekit-api"),
)
"""Parts of the host by where they are."""


def owner(frame: FrameType) -> str:
    """For whom ``frame`` runs."""
    caller: FrameType | None = frame
    while caller is not None:
        name = _home(caller.f_code.co_filename)
        if name:
            return name
        caller = caller.f_back
    return "nobody"


@cache
def _home(path: str) -> str:
    _, installed, inside = path.rpartition("site-packages/")
    if not installed:
        if path.startswith(str(ROOT / "tests")):
            return "the benchmark"
        if path.startswith(str(ROOT)):
            return "conformance"
        return "asyncio" if "/asyncio/" in path else ""
    package = inside.partition("/")[0]
    return next(
        (name for part, name in HOST if inside.startswith(part)),
        "" if package == "numpy" else package,
    )


@contextmanager
def sampled(into: Counter[str]) -> Iterator[None]:
    """Count in ``into`` who is running, at every interval."""

    def look(number: int, frame: FrameType | None) -> None:
        if frame is not None:
            into[owner(frame)] += 1

    before = signal.signal(signal.SIGPROF, look)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def run(planned: list[PlannedCheck]) -> None:
    """Run the checks, all of them from scratch."""
    runner = CheckRunner(LoopbackRunner())
    for check in planned:
        runner.run(check.subject, check.check, check.id.variant)


def main() -> None:
    """Measure and print."""
    logging.disable()
    plan = prepare(Options(ROOT, providers=(VENDOR,))).plan
    planned = [check for check in plan.checks if check.id.provider == VENDOR]
    run(planned)
    seen: Counter[str] = Counter()
    with sampled(seen):
        run(planned)
    shares = {name: count / seen.total() for name, count in seen.most_common()}
    print(json.dumps({name: share for name, share in shares.items() if share >= 0.005}))


if __name__ == "__main__":
    sys.exit(main())
