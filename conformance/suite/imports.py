"""What importing a module changes of the application that imports it.

Measured once for each module, in an interpreter of its own: this one has imported it already.
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

_SCRIPT = """
import asyncio, importlib, json, logging, os, signal, sys
import livekit.agents
try:
    from loguru import logger as loguru
except ImportError:
    loguru = None
seen = []
marked = loguru.add(seen.append, level="DEBUG") if loguru else None
root = logging.getLogger()
before = {
    "logging handlers": [type(h).__name__ for h in root.handlers],
    "logging level": root.level,
    "environment": dict(os.environ),
    "event loop policy": type(asyncio.get_event_loop_policy()).__name__,
    "signal handlers": [str(signal.getsignal(s)) for s in sorted(signal.valid_signals())],
    "excepthook": repr(sys.excepthook),
}
real, sys.stdout = sys.stdout, sys.stderr
importlib.import_module(sys.argv[1])
sys.stdout = real
after = {
    "logging handlers": [type(h).__name__ for h in root.handlers],
    "logging level": root.level,
    "environment": dict(os.environ),
    "event loop policy": type(asyncio.get_event_loop_policy()).__name__,
    "signal handlers": [str(signal.getsignal(s)) for s in sorted(signal.valid_signals())],
    "excepthook": repr(sys.excepthook),
}
changed = [f"it changes the {name}" for name in before if before[name] != after[name]]
if loguru:
    loguru.info("still there?")
    if not seen:
        changed.append("it removes the handlers that the application gave loguru")
print(json.dumps(changed))
"""


@cache
def import_effects(module: str) -> tuple[str, ...]:
    """What importing ``module`` changes, in words; empty when it changes nothing."""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _SCRIPT, module],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if run.returncode != 0:
        return (f"it cannot be imported alone: {run.stderr.strip().splitlines()[-1]}",)
    return tuple(json.loads(run.stdout))
