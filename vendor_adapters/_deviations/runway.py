"""What the published Runway plugin gets wrong."""

from __future__ import annotations

from conformance.plugin import Deviation, hookimpl

from .shared import Plugin

PLUGIN = Plugin("runway")


@hookimpl
def known_deviations() -> tuple[Deviation, ...]:
    """List them."""
    return (
        PLUGIN.untold("avatar.py:141"),
        *(
            PLUGIN.wrong(
                requirement,
                "its listener for the session's close event stays after aclose(), one a start",
                at="avatar.py:137",
                mend="keep the listener, and take it off with agent_session.off() in aclose()",
                variants=variants,
            )
            for requirement, variants in (
                ("SWAP-10", ()),
                ("UNBIND-04", ()),
                ("FAULT-03", ("json-of-wrong-type",)),
            )
        ),
        PLUGIN.wrong(
            "UNBIND-13",
            "the session of a restarted instance is never ended: the task that ends one is kept"
            " from the first aclose(), and taken to have done it",
            at="avatar.py:207",
            mend="set _end_session_task to None in start()",
        ),
        PLUGIN.wrong(
            "SWAP-08",
            "aclose() sends END_CALL to whoever has the avatar's identity now: of two avatars of"
            " one identity it ends the new one",
            at="avatar.py:225",
            mend="send it only while the participant is the one that joined for this session",
            variants=("start-then-close",),
        ),
        PLUGIN.wrong(
            "SWAP-17",
            "aclose() of an instance that was refused sends END_CALL to whoever has its identity:"
            " the avatar that was there before ends",
            at="avatar.py:225",
            mend="send it only when start() has opened a session",
        ),
        PLUGIN.binds_after_close("avatar.py:141"),
        PLUGIN.early_start("avatar.py:141"),
        PLUGIN.no_timeout("avatar.py:174"),
        PLUGIN.never_called("avatar.py:165"),
        PLUGIN.opened_again(
            "avatar.py:189", 3, "reset-inside-answer", "not-json", "wrong-content-type"
        ),
        PLUGIN.status_lost("avatar.py:204", "503"),
    )
