"""What the published Anam plugin gets wrong."""

from __future__ import annotations

from conformance.plugin import Deviation, hookimpl

from .shared import Plugin

PLUGIN = Plugin("anam")


@hookimpl
def known_deviations() -> tuple[Deviation, ...]:
    """List them."""
    return (
        PLUGIN.untold("avatar.py:125"),
        *PLUGIN.never_ended("avatar.py:123"),
        PLUGIN.binds_after_close("avatar.py:125"),
        PLUGIN.no_timeout("api.py:152"),
        PLUGIN.opened_again("api.py:172", 4, "reset-inside-answer", "wrong-content-type"),
    )
