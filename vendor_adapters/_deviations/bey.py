"""What the published Beyond Presence plugin gets wrong."""

from __future__ import annotations

from conformance.plugin import Deviation, hookimpl

from .shared import NOT_KEPT, Plugin

PLUGIN = Plugin("bey")


@hookimpl
def known_deviations() -> tuple[Deviation, ...]:
    """List them."""
    return (
        PLUGIN.untold("avatar.py:116"),
        *PLUGIN.never_ended("avatar.py:114", why=NOT_KEPT),
        PLUGIN.binds_after_close("avatar.py:116"),
        PLUGIN.early_start("avatar.py:116"),
        PLUGIN.no_timeout("avatar.py:141"),
        PLUGIN.nameless("avatar.py:145", "401", "503"),
    )
