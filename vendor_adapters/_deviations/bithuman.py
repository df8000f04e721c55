"""What the published bitHuman plugin gets wrong."""

from __future__ import annotations

from conformance.plugin import Deviation, hookimpl

from .shared import NOT_KEPT, Plugin

PLUGIN = Plugin("bithuman", "1.8.10")
LOGURU = PLUGIN.wrong(
    "SEC-03",
    "importing it removes the loguru handlers of the application",
    at="avatar.py:45",
    mend="leave loguru's handlers alone",
)


@hookimpl
def known_deviations() -> tuple[Deviation, ...]:
    """List them."""
    return (
        PLUGIN.untold("avatar.py:399"),
        PLUGIN.wrong(
            "SEC-01",
            "the vendor's secret is an attribute of the avatar's participant, which everybody in"
            " the room can read",
            at="avatar.py:375",
            mend="send the secret to the vendor's API only",
        ),
        LOGURU,
        PLUGIN.deaf_at_first("avatar.py:400"),
        PLUGIN.never_called("avatar.py:649"),
        *PLUGIN.never_ended("avatar.py:397", why=NOT_KEPT),
        PLUGIN.binds_after_close("avatar.py:399"),
        PLUGIN.early_start("avatar.py:399"),
        PLUGIN.wrong(
            "FAULT-05",
            "401, 403 and 404 are tried 3 times",
            at="avatar.py:665",
            mend="raise at once where the APIStatusError is not retryable",
            variants=("401", "403", "404"),
        ),
        PLUGIN.no_timeout("avatar.py:656"),
        PLUGIN.status_lost("avatar.py:674", "401", "503"),
    )
