"""What the published LemonSlice plugin gets wrong."""

from __future__ import annotations

from conformance.plugin import Deviation, hookimpl

from .shared import Plugin

PLUGIN = Plugin("lemonslice")
DEAD_TAIL = "the new sink stays bound in the place of the old avatar's, and nobody is heard"
BIND_LATER = "bind after the API has answered, or put the old sink back when that fails"
NEVER_JOINED = (
    *("401", "403", "404", "429", "500", "503", "refused"),
    *("reset-before-answer", "redirect-to-undeclared-host"),
)
"""Faults after which no avatar comes; after the others one does, and the sink stops waiting."""


@hookimpl
def known_deviations() -> tuple[Deviation, ...]:
    """List them."""
    return (
        PLUGIN.untold("avatar.py:144"),
        PLUGIN.wrong(
            "BIND-09",
            "a missing key is found after the sink has been bound",
            at="avatar.py:144",
            mend="validate the key and the agent in the constructor",
        ),
        PLUGIN.wrong(
            "SWAP-12",
            f"the replacement fails: {DEAD_TAIL}",
            at="avatar.py:144",
            mend=BIND_LATER,
        ),
        PLUGIN.wrong(
            "FAULT-02", f"start() fails: {DEAD_TAIL}", at="avatar.py:144", mend=BIND_LATER
        ),
        PLUGIN.wrong(
            "FAULT-03",
            "when start() fails, the sink that it bound goes on waiting for the avatar, in a task"
            " with two listeners on the room",
            at="avatar.py:144",
            mend=BIND_LATER,
            variants=NEVER_JOINED,
        ),
        PLUGIN.wrong(
            "FAULT-03",
            "the answer cannot be read: the sink goes on waiting for an avatar that has not joined",
            at="avatar.py:144",
            mend=BIND_LATER,
            variants=("json-of-wrong-type",),
            stage="live",
        ),
        PLUGIN.wrong(
            "FAULT-06",
            f"start() is cancelled: {DEAD_TAIL}",
            at="avatar.py:144",
            mend=BIND_LATER,
        ),
        *PLUGIN.never_ended("avatar.py:176"),
        PLUGIN.binds_after_close("avatar.py:144"),
        PLUGIN.unbounded_clear("avatar.py:150"),
        PLUGIN.no_timeout("api.py:259", why="60 s for each of 4 attempts"),
        PLUGIN.opened_again(
            "api.py:273", 4, "reset-inside-answer", "not-json", "wrong-content-type"
        ),
        PLUGIN.status_lost("api.py:295", "503"),
    )
