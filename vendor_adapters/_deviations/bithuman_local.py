"""What the published bitHuman plugin gets wrong in local mode."""

from __future__ import annotations

from conformance.plugin import Deviation, hookimpl

from .bithuman import LOGURU, PLUGIN
from .shared import HOST

KICKED = (
    "aclose() removes the participant avatar_identity, which in local mode is the agent itself:"
    " the agent is out of the room and speaks to nobody"
)
OVERRIDE = "override aclose() in local mode so that it removes nobody"
CLOSED_FIRST = ("close-then-start",)
PEERS = (
    *("to-anam", "to-avatario", "to-avatartalk", "to-bey", "to-bithuman", "to-bithuman-local"),
    *(
        "to-did",
        "to-inference",
        "to-keyframe",
        "to-lemonslice",
        "to-runway",
        "to-simli",
        "to-tavus",
        "to-trugen",
    ),
)


@hookimpl
def known_deviations() -> tuple[Deviation, ...]:
    """List them."""
    return (
        LOGURU,
        *(
            PLUGIN.wrong(requirement, KICKED, at="avatar.py:688", mend=OVERRIDE, variants=variants)
            for requirement, variants in (
                ("UNBIND-09", ()),
                ("UNBIND-02", ()),
                ("UNBIND-06", ()),
                ("UNBIND-07", ()),
                ("UNBIND-13", ()),
                ("SWAP-01", CLOSED_FIRST),
                ("SWAP-02", CLOSED_FIRST),
                ("SWAP-04", CLOSED_FIRST),
                ("SWAP-05", ()),
                ("SWAP-06", CLOSED_FIRST),
                ("SWAP-08", CLOSED_FIRST),
                ("SWAP-09", PEERS),
                ("SWAP-10", ()),
                ("SWAP-11", CLOSED_FIRST),
                ("SWAP-14", ()),
                ("SWAP-16", ()),
                ("SEC-01", ()),
            )
        ),
        *(
            PLUGIN.wrong(
                requirement,
                f"{KICKED}, and the new avatar's audio waits for a subscriber",
                at="avatar.py:688",
                mend=OVERRIDE,
                variants=("start-then-close",),
                stage="live",
            )
            for requirement in ("SWAP-01", "SWAP-02", "SWAP-03", "SWAP-04", "SWAP-06", "SWAP-11")
        ),
        PLUGIN.wrong(
            "UNBIND-14",
            "after aclose() its own sink stays bound, and not the output that was there before",
            at="avatar.py:345",
            mend="keep what was bound before, and bind it again in aclose()",
        ),
        PLUGIN.wrong(
            "UNBIND-04",
            "aclose() never closes its AvatarRunner: two tasks, the audio and video synchronizer"
            " and a listener on the room stay",
            at="avatar.py:688",
            mend="await self._avatar_runner.aclose() in aclose()",
        ),
        PLUGIN.wrong(
            "BIND-06",
            "avatar_identity is another one after start(): the agent's",
            at="avatar.py:274",
            mend="return the agent's identity from the beginning, or one of its own throughout",
        ),
        *(
            PLUGIN.wrong(
                requirement,
                "of several segments that were pushed only one is ever finished: the runner forgets"
                " that more audio is to be played when the first segment ends",
                at="livekit/agents/voice/avatar/_runner.py:133",
                mend="count the segments that were received and have not been reported",
                variants=variants,
                owner=HOST,
            )
            for requirement, variants in (
                ("PLAY-03", ("several-answering", "several-silent")),
                ("PLAY-07", ()),
            )
        ),
    )
