"""The checks: a family of modules, with the family's prefix, for each family of requirements."""

from __future__ import annotations

import importlib

MODULES = (
    "host_chain",
    "host_playback",
    "bind",
    "bind_settings",
    "bind_first_words",
    "swap",
    "swap_pairs",
    "swap_followed",
    "unbind",
    "unbind_cleanup",
    "unbind_cycle",
    "unbind_ending",
    "play",
    "play_limits",
    "play_silence",
    "play_pause",
    "fault",
    "fault_start",
    "fault_recovery",
    "fault_absence",
    "fault_connection",
    "fault_unseen",
    "sec",
    "meta",
    "meta_contents",
)


def load() -> None:
    """Import every module of checks, so that `registry.registered` knows them all."""
    for name in MODULES:
        importlib.import_module(f"{__name__}.{name}")
