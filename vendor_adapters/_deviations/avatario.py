"""What the published Avatario plugin gets wrong."""

from __future__ import annotations

from conformance.plugin import Deviation, hookimpl

from .shared import NOT_KEPT, Plugin

PLUGIN = Plugin("avatario")


@hookimpl
def known_deviations() -> tuple[Deviation, ...]:
    """List them."""
    return (
        PLUGIN.untold("avatar.py:157"),
        *PLUGIN.never_ended("avatar.py:149", why=NOT_KEPT),
        PLUGIN.binds_after_close("avatar.py:157"),
        PLUGIN.early_start("avatar.py:157"),
        PLUGIN.never_called("api.py:115"),
        PLUGIN.opened_again(
            "api.py:140", 3, "reset-inside-answer", "not-json", "wrong-content-type"
        ),
        PLUGIN.nameless("api.py:128", "401", "503"),
    )
