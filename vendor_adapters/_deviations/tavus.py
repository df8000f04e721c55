"""What the published Tavus plugin gets wrong."""

from __future__ import annotations

from conformance.plugin import Deviation, hookimpl

from .shared import Plugin

PLUGIN = Plugin("tavus")


@hookimpl
def known_deviations() -> tuple[Deviation, ...]:
    """List them."""
    return (
        PLUGIN.untold("avatar.py:126"),
        *PLUGIN.never_ended("avatar.py:120"),
        PLUGIN.binds_after_close("avatar.py:126"),
        PLUGIN.early_start("avatar.py:126"),
        PLUGIN.no_timeout("api.py:195"),
        PLUGIN.opened_again("api.py:220", 4, "reset-inside-answer", "wrong-content-type"),
        PLUGIN.nameless("api.py:199", "401", "503"),
    )
