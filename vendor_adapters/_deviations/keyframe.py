"""What the published Keyframe plugin gets wrong."""

from __future__ import annotations

from conformance.plugin import Deviation, hookimpl

from .shared import NOT_KEPT, Plugin

PLUGIN = Plugin("keyframe")


@hookimpl
def known_deviations() -> tuple[Deviation, ...]:
    """List them."""
    return (
        PLUGIN.untold("avatar.py:185"),
        *PLUGIN.never_ended("avatar.py:156", why=NOT_KEPT),
        PLUGIN.binds_after_close("avatar.py:185"),
        PLUGIN.unbounded_clear("_output.py:50"),
        PLUGIN.no_timeout("api.py:91"),
        PLUGIN.opened_again(
            "api.py:101", 4, "reset-inside-answer", "not-json", "wrong-content-type"
        ),
        PLUGIN.status_lost("api.py:119", "503"),
        *(
            PLUGIN.wrong(
                requirement,
                "its sink has a flush() of its own in the host's place: speech for an avatar that"
                " has left never ends, also where the host's ends it",
                at="_output.py:150",
                mend="call super().flush(), or finish the segment when the avatar has left",
                variants=variants,
            )
            for requirement, variants in (
                ("SWAP-12", ("close-then-start",)),
                ("SWAP-16", ()),
                ("UNBIND-02", ()),
                ("FAULT-07", ("mid-speech", "idle")),
            )
        ),
        PLUGIN.wrong(
            "FAULT-11",
            "its sink waits for an avatar that never joins without a bound, and has no end of its"
            " own for what waits, also where the host's has",
            at="_output.py:150",
            mend="call super().flush(), and bound the wait for the avatar",
        ),
        PLUGIN.wrong(
            "META-04",
            "it imports private modules of the host and calls private methods of its agent, which"
            " any release may move",
            at="_output.py:10",
            mend="write the topic's name out, and bring the bracket cues along",
        ),
    )
