"""What goes wrong alike in several plugins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from conformance.plugin import Deviation

EXPIRES = date(2027, 5, 31)
HOST = "livekit-agents"


KEPT = "its id is kept, and no call ends it"
NOT_KEPT = "its id is not even kept"
END_IT = "override aclose() and end the session at the vendor, also on the session's close event"


@dataclass(frozen=True)
class Plugin:
    """One published plugin: the vendor's name in its package, and the version that was judged.

    A deviation is about that version and its patch releases: a later minor one is judged anew.
    """

    vendor: str
    version: str = "1.8.9"

    @property
    def distribution(self) -> str:
        """As pip installs it, which is also who is to mend it."""
        return f"livekit-plugins-{self.vendor}"

    def wrong(
        self,
        requirement: str,
        symptom: str,
        *,
        at: str,
        mend: str,
        variants: tuple[str, ...] = (),
        owner: str | None = None,
        stage: Literal["", "loopback", "live"] = "",
    ) -> Deviation:
        """A deviation: ``at`` is the file and line, in the plugin's package or in the host."""
        where = at if at.startswith("livekit/") else f"livekit/plugins/{self.vendor}/{at}"
        return Deviation(
            requirement,
            f"{self.distribution} {self.version}: {symptom} ({where}); to mend it, {mend}",
            reference=where,
            owner=owner or self.distribution,
            expires=EXPIRES,
            plugin=f">={self.version},<1.9",
            variants=variants,
            stage=stage,
        )

    def binds_after_close(self, bound_at: str) -> Deviation:
        """``aclose()`` during ``start()`` does not stop it."""
        return self.wrong(
            "UNBIND-08",
            "aclose() during start() does not stop it: start() goes on and binds its sink, for an"
            " avatar that nobody will close",
            at=bound_at,
            mend="cancel the start that is under way in aclose(), or bind only if not closed",
        )

    def never_ended(self, at: str, *, why: str = KEPT, mend: str = END_IT) -> tuple[Deviation, ...]:
        """Neither ``aclose()`` nor the end of the call ends the vendor's session."""
        symptom = f"the vendor's session is never ended and goes on being billed: {why}"
        return (
            self.wrong("UNBIND-05", symptom, at=at, mend=mend),
            self.wrong("UNBIND-11", symptom, at=at, mend=mend),
        )

    def deaf_at_first(self, at: str) -> Deviation:
        """Audio is sent as soon as the avatar has joined."""
        return self.wrong(
            "BIND-12",
            "audio is sent as soon as the avatar has joined, before it shows its video: the first"
            " words are lost, and their end is never reported",
            at=at,
            mend="pass wait_remote_track=rtc.TrackKind.KIND_VIDEO to the sink",
        )

    def untold(self, at: str) -> Deviation:
        """Nobody notices that the avatar is gone."""
        return self.wrong(
            "FAULT-07",
            "when the avatar leaves the room by itself, no event and no log record says so",
            at=at,
            mend="log a warning when the avatar's participant leaves and aclose() was not called",
            variants=("told",),
        )

    def never_called(self, at: str) -> Deviation:
        """A loop over the number of retries."""
        return self.wrong(
            "BIND-15",
            "with max_retry=0 the vendor is never called, and start() says that all retries failed",
            at=at,
            mend="loop over range(max_retry + 1)",
        )

    def early_start(self, at: str) -> Deviation:
        """playback_started comes when audio is pushed."""
        return self.wrong(
            "PLAY-09",
            "playback_started is reported when the first frame is pushed, before the avatar plays",
            at=at,
            mend="let the avatar send lk.playback_started and pass wait_playback_start=True",
        )

    def no_timeout(self, at: str, why: str = "its timeout has sock_connect alone") -> Deviation:
        """``start()`` is not bounded."""
        return self.wrong(
            "FAULT-04",
            f"start() waits too long for a vendor that never answers: {why}",
            at=at,
            mend="pass ClientTimeout(total=...), small enough for all attempts together",
        )

    def opened_again(self, at: str, attempts: int, *variants: str) -> Deviation:
        """An answer that cannot be read is taken for a failure and tried again."""
        return self.wrong(
            "FAULT-08",
            f"a success whose answer cannot be read is tried again: {attempts} sessions are billed",
            at=at,
            mend="raise when a 2xx cannot be read, instead of trying again",
            variants=variants,
        )

    def nameless(self, at: str, *variants: str) -> Deviation:
        """The exception does not say whose API failed."""
        return self.wrong(
            "FAULT-10",
            "the exception says 'Server returned an error' and not whose",
            at=at,
            mend="name the vendor in the message",
            variants=variants,
        )

    def status_lost(self, at: str, *variants: str) -> Deviation:
        """The exception does not say what the vendor answered."""
        return self.wrong(
            "FAULT-10",
            "the exception after the last attempt has neither the status nor a cause",
            at=at,
            mend="raise the last error, or chain it with `from`",
            variants=variants,
        )

    def unbounded_clear(self, at: str) -> Deviation:
        """An interruption is never over when the avatar does not report its end."""
        return self.wrong(
            "PLAY-03",
            "an interrupted segment is never finished unless the avatar reports each one: nothing"
            " bounds the wait",
            at=at,
            mend="leave clear_buffer_timeout at the host's 2 s",
            variants=(
                "one-silent",
                "several-answering",
                "several-silent",
                "new-speech-silent",
            ),
        )
