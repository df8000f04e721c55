"""Side effects of importing a module on the application.

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
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout, suppress
from functools import cache
from typing import Any

from conformance.errors import KitError

CHILD_SECONDS = 60.0
"""How many real seconds a child may take for one import."""

CHILD_BYTES = 2 * 1024**3
"""How much data memory a child may have; importing the host takes a tenth of it."""

_ALONE = """
import sys
from conformance.suite.scene.import_effects import report_own_effects
report_own_effects(sys.argv[1])
"""


@cache
def import_effects(module: str) -> tuple[str, ...]:
    """Import ``module`` and say in words what that changes; empty when it changes nothing.

    Nothing is what a module changes that ``import livekit.agents`` imports by itself. Raises
    `KitError` when the child that looks at it does not end.
    """
    if module in sys.modules:
        return _in_a_child(module)
    return own_import_effects(module)


def own_import_effects(module: str) -> tuple[str, ...]:
    """Import ``module`` in this interpreter and say what that changes; never starts another."""
    heard: list[Any] = []
    say = _loguru(heard.append)
    handlers = list(logging.getLogger().handlers)
    logging.getLogger().handlers[:] = []  # basicConfig() does nothing where there are any
    before = _settings()
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


def report_own_effects(module: str) -> None:
    """Print, as JSON, what importing ``module`` changes: all that a child does.

    The child ends when its standard input does, which its parent holds open.
    """
    threading.Thread(target=_die_with_parent, daemon=True).start()
    if sys.platform == "linux":
        import resource

        resource.setrlimit(resource.RLIMIT_DATA, (CHILD_BYTES, CHILD_BYTES))
    importlib.import_module("livekit.agents")
    print(json.dumps(own_import_effects(module)))


def _die_with_parent() -> None:
    while os.read(0, 1):  # the file object would hold a lock that the end of Python waits for
        pass
    os._exit(1)


def _in_a_child(module: str) -> tuple[str, ...]:
    child = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _ALONE, module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # whatever the import starts is ended with it
    )
    assert child.stdout is not None
    assert child.stderr is not None
    with child, ThreadPoolExecutor(2) as readers:
        texts = [readers.submit(stream.read) for stream in (child.stdout, child.stderr)]
        try:
            code = child.wait(CHILD_SECONDS)
        except subprocess.TimeoutExpired:
            raise KitError(
                f"{module} takes longer than {CHILD_SECONDS:g} s to import in an interpreter of "
                "its own, so what its import changes is not known: import it nowhere before the "
                "run (in a conftest.py, say)"
            ) from None
        finally:
            _end_group(child)
        out, err = (text.result() for text in texts)
    if code != 0:
        return (f"it cannot be imported alone: {(err.strip() or 'no word').splitlines()[-1]}",)
    return tuple(json.loads(out.splitlines()[-1]))


def _end_group(child: subprocess.Popen[str]) -> None:
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    else:
        child.kill()
