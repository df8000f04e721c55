"""What importing a module changes of the application that imports it.

Looked at when the module is imported for the first time in this process. Where it has been imported
already (by a conftest, say), an interpreter of its own looks at it instead.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import logging
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from functools import cache
from typing import Any

_ALONE = """
import json, sys
import livekit.agents
from conformance.suite.imports import import_effects
effects = import_effects(sys.argv[1])
print(json.dumps(effects))
"""


@cache
def import_effects(module: str) -> tuple[str, ...]:
    """Import ``module`` and say in words what that changes; empty when it changes nothing."""
    if module in sys.modules:
        return _in_its_own_interpreter(module)
    heard: list[Any] = []
    say = _loguru(heard.append)
    before = _settings()
    handlers = list(logging.getLogger().handlers)
    environment = dict(os.environ)
    with redirect_stdout(sys.stderr):
        importlib.import_module(module)
    after = _settings()
    changed = [f"it changes the {name}" for name in before if before[name] != after[name]]
    if say is not None:
        say("still there?")
        if not heard:
            changed.append("it removes the handlers that the application gave loguru")
    logging.getLogger().handlers[:] = handlers
    os.environ.clear()
    os.environ.update(environment)
    return tuple(changed)


def _settings() -> dict[str, object]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        policy = type(asyncio.get_event_loop_policy()).__qualname__
    root = logging.getLogger()
    return {
        "logging handlers": [repr(handler) for handler in root.handlers],
        "logging level": root.level,
        "environment": dict(os.environ),
        "event loop policy": policy,
        "signal handlers": [repr(signal.getsignal(s)) for s in sorted(signal.valid_signals())],
        "excepthook": repr(sys.excepthook),
    }


def _loguru(sink: Callable[[Any], None]) -> Callable[[str], None] | None:
    """Give loguru a handler, where it is installed; returns what logs through it."""
    try:
        loguru = importlib.import_module("loguru")
    except ImportError:
        return None
    logger = loguru.logger
    handler = logger.add(sink, level="INFO")

    def say(text: str) -> None:
        logger.info(text)
        with suppress(ValueError):  # the import may have removed it, which is what is asked
            logger.remove(handler)

    return say


def _in_its_own_interpreter(module: str) -> tuple[str, ...]:
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _ALONE, module],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if run.returncode != 0:
        return (f"it cannot be imported alone: {run.stderr.strip().splitlines()[-1]}",)
    return tuple(json.loads(run.stdout.splitlines()[-1]))
