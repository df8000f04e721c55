"""The reusable checks: one coroutine function for each way to judge a requirement."""

from __future__ import annotations

import importlib

FAMILIES = (
    "host_chain",
    "bind",
    "settings",
    "swap",
    "exchange",
    "unbind",
    "closing",
    "play",
    "playout",
    "fault",
    "mishap",
    "security",
    "packaging",
)


def load() -> None:
    """Import every module of checks, so that `registry.registered` knows them all."""
    for name in FAMILIES:
        importlib.import_module(f"{__name__}.{name}")
