"""What LiveKit Inference's own avatar gets wrong."""

from __future__ import annotations

from conformance.plugin import Deviation, hookimpl

from .shared import HOST, Plugin

FILE = "livekit/agents/inference/avatar.py"


class HostsOwn(Plugin):
    """An avatar that comes with livekit-agents itself."""

    @property
    def distribution(self) -> str:
        """As pip installs it, which is also who is to mend it."""
        return HOST


OWN = HostsOwn("inference")


@hookimpl
def known_deviations() -> tuple[Deviation, ...]:
    """List them."""
    return (
        OWN.wrong(
            "BIND-08",
            "start() takes livekit_url alone: an agent that gives every avatar its key and secret"
            " as well gets a TypeError",
            at=f"{FILE}:237",
            mend="take livekit_api_key and livekit_api_secret too, for the calls of the gateway",
        ),
        OWN.binds_after_close(f"{FILE}:318"),
        OWN.wrong(
            "UNBIND-05",
            "the call that ends the session is made once: when it fails the session is billed to"
            " its limit",
            at=f"{FILE}:499",
            mend="try it again on 5xx and on a broken connection, a few times",
            variants=("once-500", "once-reset"),
        ),
        OWN.wrong(
            "UNBIND-10",
            "aclose() waits 60 s for a gateway that does not answer",
            at=f"{FILE}:499",
            mend="give the terminate call a timeout of its own, of some seconds",
            variants=("backend-silent",),
        ),
        OWN.wrong(
            "UNBIND-11",
            "the gateway's session stays open and is billed when the agent session closes",
            at=f"{FILE}:338",
            mend="listen to the session's close event, and end it there too",
            variants=("session-close",),
        ),
        OWN.untold(f"{FILE}:318"),
        OWN.unbounded_clear(f"{FILE}:324"),
        OWN.no_timeout(f"{FILE}:438", why="60 s for each of 4 attempts"),
        OWN.nameless(f"{FILE}:444", "401", "503"),
        OWN.wrong(
            "FAULT-10",
            "the exception has the words of the network alone, and does not say what was called",
            at=f"{FILE}:459",
            mend="say in the message that LiveKit Inference's gateway could not be reached",
            variants=("refused", "reset-before-answer"),
        ),
    )
