"""Mends that were released: the last broken version, the first mended one, the check that tells."""

from __future__ import annotations

from dataclasses import dataclass

NEWEST_HOST = "1.8.9"
HOST = "host"
PLUGINS = {
    name: f"livekit-plugins-{name}"
    for name in (
        *("anam", "avatario", "avatartalk", "bey", "bithuman", "did", "keyframe", "lemonslice"),
        *("liveavatar", "runway", "simli", "tavus", "trugen"),
    )
}
DISTRIBUTIONS = {
    **PLUGINS,
    "bithuman-local": PLUGINS["bithuman"],
    HOST: "livekit-agents",
}
"""What is released, by the subject of a report that shows it."""


@dataclass(frozen=True)
class Pair:
    """A released mend: ``check`` fails at ``broken``, passes at ``mended``; ``why`` is the cause.

    ``awaiting`` is the reason for which no check shows it yet: such a pair is not run, and must
    not name a check that the suite has; ``*`` in its check stands for any part of the name.
    """

    subject: str
    broken: str
    mended: str
    check: str
    why: str
    awaiting: str = ""
    host: str = NEWEST_HOST

    @property
    def distribution(self) -> str:
        """The distribution whose two versions are compared."""
        return DISTRIBUTIONS[self.subject]

    @property
    def requirement(self) -> str:
        """The requirement that the check judges."""
        return self.check.partition("[")[0]

    @property
    def id(self) -> str:
        """The check's id in a report."""
        return f"{self.subject}::{self.check}"

    def __str__(self) -> str:
        """Return the name of the pair, as test ids have it."""
        return f"{self.subject} {self.broken}->{self.mended} {self.check}"


_WRAPPERS = "start() assigned output.audio and threw the session's wrappers away"
_REFUSED = "a refusal by the vendor (4xx) was posted again until the retries were used up"
_NO_RETRY = "a failure of the vendor's that passes (429, 5xx) was not tried again"
_EARLY = "playback was reported as started when the audio was pushed, not when the avatar played"
_NO_CALL = "max_retry=0 made no call at all"

PAIRS = (
    *(
        Pair(subject, "1.6.0", "1.6.1", "BIND-02", _WRAPPERS)
        for subject in (*PLUGINS, "bithuman-local")
    ),
    *(
        Pair(subject, broken, mended, f"FAULT-05[{status}]", _REFUSED)
        for subject, broken, mended in (("bey", "1.8.8", "1.8.9"), ("tavus", "1.8.4", "1.8.5"))
        for status in (401, 403, 404)
    ),
    *(
        Pair(subject, broken, mended, f"FAULT-05[{status}]", _NO_RETRY)
        for subject, broken, mended in (("anam", "1.8.2", "1.8.3"), ("simli", "1.8.8", "1.8.9"))
        for status in (429, 500, 503)
    ),
    Pair(
        *("tavus", "1.8.4", "1.8.5", "FAULT-08[not-json]"),
        "an answer that could not be read opened the vendor's session again, twice",
    ),
    Pair("keyframe", "1.8.8", "1.8.9", "PLAY-09", _EARLY),
    Pair("anam", "1.8.8", "1.8.9", "PLAY-09", _EARLY),
    *(
        Pair("liveavatar", "1.6.4", "1.6.5", f"FAULT-05[{status}]", _REFUSED)
        for status in (401, 403, 404)
    ),
    *(
        Pair(
            *("liveavatar", "1.6.4", "1.6.5", f"FAULT-10[{status}]"),
            "the exception spoke of retries that were used up, and not of the status",
        )
        for status in (401, 503)
    ),
    Pair(
        *(HOST, "1.8.0", "1.8.1", "HOST-10[one-pending]"),
        "a segment cut by a swap ended at the position that had been pushed, not played",
    ),
    Pair(
        *(HOST, "1.8.0", "1.8.1", "HOST-12"),
        "a swap in mid-speech cleared the old tail without flushing it first",
    ),
    Pair(
        *(HOST, "1.8.0", "1.8.1", "HOST-16"),
        "what was played before a swap had no place in the progress of the speech",
    ),
    *(
        Pair(subject, broken, mended, "BIND-15", _NO_CALL)
        for subject, broken, mended in (
            ("bey", "1.8.8", "1.8.9"),
            ("tavus", "1.8.4", "1.8.5"),
            ("anam", "1.8.2", "1.8.3"),
        )
    ),
)
"""Each that is not awaited was seen to flip."""
