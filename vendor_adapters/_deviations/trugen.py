"""What the published TruGen plugin gets wrong."""

from __future__ import annotations

from conformance.plugin import Deviation, hookimpl

from .shared import NOT_KEPT, Plugin

PLUGIN = Plugin("trugen")


@hookimpl
def known_deviations() -> tuple[Deviation, ...]:
    """List them."""
    return (
        PLUGIN.untold("avatar.py:130"),
        *PLUGIN.never_ended("avatar.py:128", why=NOT_KEPT),
        PLUGIN.binds_after_close("avatar.py:130"),
        PLUGIN.early_start("avatar.py:130"),
        PLUGIN.no_timeout("avatar.py:154"),
        PLUGIN.nameless("avatar.py:158", "401"),
        PLUGIN.status_lost("avatar.py:180", "503"),
    )
