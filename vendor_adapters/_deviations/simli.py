"""What the published Simli plugin gets wrong."""

from __future__ import annotations

from conformance.plugin import Deviation, hookimpl

from .shared import NOT_KEPT, Plugin

PLUGIN = Plugin("simli")
SWALLOWED = "start() logs what the vendor's API refuses and returns as if it had worked"
RAISE = "let APIStatusError and APIConnectionError through, and raise on an unreadable answer"
FAULTS = (
    *("401", "403", "404", "429", "500", "503", "refused", "redirect-to-undeclared-host"),
    *("reset-before-answer", "reset-inside-answer"),
    *("not-json", "json-of-wrong-type", "field-missing"),
)


@hookimpl
def known_deviations() -> tuple[Deviation, ...]:
    """List them."""
    return (
        PLUGIN.untold("avatar.py:170"),
        PLUGIN.wrong("FAULT-01", SWALLOWED, at="avatar.py:141", mend=RAISE, variants=FAULTS),
        PLUGIN.wrong("SWAP-12", SWALLOWED, at="avatar.py:141", mend=RAISE),
        PLUGIN.wrong(
            "BIND-09",
            "an empty key is not noticed, and the vendor's refusal of it is swallowed",
            at="avatar.py:141",
            mend="raise in the constructor when the key is missing",
        ),
        PLUGIN.opened_again("avatar.py:218", 4, "reset-inside-answer"),
        PLUGIN.deaf_at_first("avatar.py:171"),
        *PLUGIN.never_ended("avatar.py:153", why=NOT_KEPT),
        PLUGIN.binds_after_close("avatar.py:170"),
        PLUGIN.early_start("avatar.py:170"),
        PLUGIN.no_timeout(
            "avatar.py:190", why="300 s for each of 4 attempts, at each of two calls"
        ),
    )
