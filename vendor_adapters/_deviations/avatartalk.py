"""What the published AvatarTalk plugin gets wrong."""

from __future__ import annotations

from conformance.plugin import Deviation, hookimpl

from .shared import END_IT, Plugin

PLUGIN = Plugin("avatartalk")
SWALLOWED = "start() logs that the vendor's API refuses and returns as if it had worked"
RAISE = "let AvatarTalkException through"
STATUSES = ("401", "403", "404", "429", "500", "503")
BACK_FROM = (
    *("to-anam", "to-avatario", "to-avatartalk", "to-bey", "to-bithuman", "to-did"),
    *(
        "to-inference",
        "to-keyframe",
        "to-lemonslice",
        "to-runway",
        "to-simli",
        "to-tavus",
        "to-trugen",
    ),
)
"""Providers after whom a new instance meets the listener of an earlier one."""
SHARED = (
    "its second participant is always 'listener', and the last one is still in the room when the"
    " next one joins: it takes what is sent until it is evicted, and the speech never ends"
)
OWN = "give each session a listener of its own, named after the avatar, and end it in aclose()"
UNENDED = "the vendor's session is ended by a shutdown callback of the job only"


@hookimpl
def known_deviations() -> tuple[Deviation, ...]:
    """List them."""
    return (
        PLUGIN.wrong("FAULT-01", SWALLOWED, at="avatar.py:156", mend=RAISE, variants=STATUSES),
        PLUGIN.wrong("SWAP-12", SWALLOWED, at="avatar.py:156", mend=RAISE),
        PLUGIN.wrong(
            "BIND-05",
            "the token of its second participant is of no kind and publishes on behalf of nobody",
            at="avatar.py:111",
            mend="mint both tokens as an agent's, with lk.publish_on_behalf",
        ),
        *(
            PLUGIN.wrong(
                requirement,
                "its second participant, 'listener', joins as a standard one: the host takes it for"
                " the user, and closes the agent session when it leaves",
                at="avatar.py:111",
                mend="mint its token with kind 'agent' and lk.publish_on_behalf",
                variants=variants,
            )
            for requirement, variants in (("FAULT-07", ("mid-speech", "idle")), ("FAULT-09", ()))
        ),
        *(
            PLUGIN.wrong(requirement, SHARED, at="avatar.py:115", mend=OWN, variants=variants)
            for requirement, variants in (
                ("SWAP-02", ()),
                ("SWAP-05", ()),
                ("SWAP-09", BACK_FROM),
                ("SWAP-14", ()),
            )
        ),
        PLUGIN.wrong(
            "UNBIND-12",
            "the participant 'listener', which it minted a token for, stays in the room",
            at="avatar.py:115",
            mend="end the task at the vendor in aclose(), or remove 'listener' as well",
        ),
        PLUGIN.wrong(
            "SWAP-16",
            "its task goes on at the vendor after aclose(), and its sink stays bound: the avatar"
            " that was closed hears the next speech",
            at="avatar.py:115",
            mend="end the task at the vendor in aclose(), or remove 'listener' as well",
        ),
        PLUGIN.wrong("SWAP-10", SHARED, at="avatar.py:115", mend=OWN, stage="live"),
        PLUGIN.wrong("UNBIND-05", UNENDED, at="avatar.py:93", mend=END_IT),
        PLUGIN.wrong(
            "UNBIND-11", UNENDED, at="avatar.py:93", mend=END_IT, variants=("session-close",)
        ),
        PLUGIN.binds_after_close("avatar.py:148"),
        PLUGIN.early_start("avatar.py:148"),
        PLUGIN.no_timeout("api.py:36", why="300 s, aiohttp's default"),
        PLUGIN.wrong(
            "FAULT-05",
            "429 and 5xx are not tried again",
            at="api.py:36",
            mend="try again on 429 and 5xx, with a pause",
            variants=("429", "500", "503", "one-500"),
        ),
        PLUGIN.wrong(
            "FAULT-10",
            "a connection that breaks raises aiohttp's own error, which does not say whose",
            at="api.py:36",
            mend="raise AvatarTalkException from it",
            variants=("reset-before-answer",),
        ),
    )
