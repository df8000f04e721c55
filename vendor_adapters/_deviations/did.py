"""What the published D-ID plugin gets wrong."""

from __future__ import annotations

from conformance.plugin import Deviation, hookimpl

from .shared import Plugin

PLUGIN = Plugin("did")


@hookimpl
def known_deviations() -> tuple[Deviation, ...]:
    """List them."""
    return (
        PLUGIN.untold("avatar.py:132"),
        *PLUGIN.never_ended("avatar.py:121"),
        PLUGIN.binds_after_close("avatar.py:132"),
        PLUGIN.early_start("avatar.py:132"),
        PLUGIN.no_timeout("api.py:71"),
        PLUGIN.wrong(
            "FAULT-05",
            "429 and 5xx are not tried again",
            at="api.py:81",
            mend="raise at once only where the APIStatusError is not retryable",
            variants=("429", "500", "503", "one-500"),
        ),
        PLUGIN.opened_again("api.py:83", 4, "reset-inside-answer", "wrong-content-type"),
    )
