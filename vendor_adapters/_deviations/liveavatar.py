"""What the published LiveAvatar plugin gets wrong."""

from __future__ import annotations

from conformance.plugin import Deviation, hookimpl

from .shared import Plugin

PLUGIN = Plugin("liveavatar")
NOT_CLOSED = (
    "aclose() is the base class's alone: the WebSocket, five tasks, two listeners on the session"
    " and the vendor's billed session stay until the agent session closes"
)
CLOSE = (
    "override aclose(): cancel the main task, which stops the session, and take both listeners off"
)
SOCKET = (
    "start() returns before the WebSocket is connected, and its sink stays bound whether it ever is"
)
CONNECT = "connect in start(), wait for 'connected' within bounds, and bind after that"
GONE = (
    "after aclose() its sink stays bound and sends to an avatar that has left the room: the next"
    " speech never ends"
)
INTERRUPTED = (
    *("one-answering", "one-silent", "one-unanswered", "several-answering", "several-silent"),
    "new-speech-late",
)
UNSERVED = ("socket-closed-at-once", "socket-never-connected")


@hookimpl
def known_deviations() -> tuple[Deviation, ...]:
    """List them."""
    return (
        PLUGIN.untold("avatar.py:179"),
        *(
            PLUGIN.wrong(requirement, NOT_CLOSED, at="avatar.py:180", mend=CLOSE)
            for requirement in ("SWAP-10", "UNBIND-04", "UNBIND-05")
        ),
        PLUGIN.wrong("UNBIND-02", GONE, at="avatar.py:180", mend=CLOSE),
        PLUGIN.wrong("SWAP-16", GONE, at="avatar.py:180", mend=CLOSE),
        PLUGIN.wrong(
            "UNBIND-14",
            "after aclose() its own sink stays bound, and not the output that was there before",
            at="avatar.py:179",
            mend="keep what was bound before, and bind it again in aclose()",
        ),
        PLUGIN.wrong(
            "SWAP-12", GONE, at="avatar.py:180", mend=CLOSE, variants=("close-then-start",)
        ),
        PLUGIN.wrong(
            "SWAP-02",
            "swapped in the middle of a segment, the old avatar never hears the last 0.4 s of it",
            at="avatar.py:233",
            mend="send what is gathered before the buffer is cleared by flush()",
        ),
        PLUGIN.wrong(
            "SWAP-09",
            "in the middle of a segment the old avatar never hears what waits in the plugin",
            at="avatar.py:233",
            mend="send what is gathered before the buffer is cleared by flush()",
        ),
        PLUGIN.wrong(
            "UNBIND-07",
            "started again, an instance sends a part of the speech to its first session: the task"
            " that aclose() leaves there takes messages from the channel that both share",
            at="avatar.py:302",
            mend="end the first start's tasks in aclose(), and make a new channel in start()",
        ),
        PLUGIN.wrong(
            "PLAY-03",
            "an interrupted segment is reported at what was sent, not at what was played, and of"
            " several only one is reported",
            at="avatar.py:187",
            mend="take the position from the time since agent.speak_started, for each segment",
            variants=INTERRUPTED,
        ),
        PLUGIN.wrong(
            "PLAY-04",
            "interrupted before the socket is connected, a segment is never finished",
            at="avatar.py:184",
            mend="report a segment that was cleared before any of it was sent, at 0 s",
        ),
        PLUGIN.wrong(
            "PLAY-07",
            "segments pushed back to back finish at each other's lengths: one position is counted"
            " for all that was sent",
            at="avatar.py:248",
            mend="keep the length of each segment that was sent, in order",
        ),
        *(
            PLUGIN.wrong(requirement, SOCKET, at="avatar.py:224", mend=CONNECT, variants=UNSERVED)
            for requirement in ("FAULT-01", "FAULT-02", "FAULT-03")
        ),
        PLUGIN.wrong(
            "FAULT-07",
            "when the avatar leaves, that speech and the next one never end",
            at="avatar.py:316",
            mend="finish the open segment when the socket closes or the participant leaves",
            variants=("mid-speech", "idle"),
        ),
        PLUGIN.wrong(
            "FAULT-11",
            "speech for an avatar that never joins the room never ends, also after aclose()",
            at="avatar.py:179",
            mend="bound the wait for the avatar, and finish what is pending when it is over",
        ),
        PLUGIN.wrong(
            "FAULT-13",
            "when its WebSocket closes, or says what is no JSON, the task that reads it ends, and"
            " speech waits for its reports for ever",
            at="avatar.py:328",
            mend="finish what is pending when the main task ends, log it, and connect again",
        ),
        PLUGIN.wrong(
            "FAULT-14",
            "what ends its main task is raised in it, and nobody ever awaits that task",
            at="avatar.py:328",
            mend="give the main task a done callback that logs its exception",
            variants=("socket-drops",),
        ),
        PLUGIN.wrong(
            "META-04",
            "it reads the private rate of the room SDK's resampler, which any release may rename",
            at="avatar.py:202",
            mend="keep the rate that the resampler was made with",
            variants=("attributes",),
        ),
        PLUGIN.no_timeout("api.py:113", why="300 s for each of 3 attempts, at each of two calls"),
        PLUGIN.never_called("api.py:111"),
        PLUGIN.opened_again(
            "api.py:127", 3, "reset-inside-answer", "not-json", "wrong-content-type"
        ),
    )
