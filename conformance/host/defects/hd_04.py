"""HD-04: an avatar that left before its video was there is waited for again."""

from __future__ import annotations

from .mend import Mend, edits

MEND = Mend(
    edits(
        "livekit.agents.voice.avatar._datastream_io",
        (
            """\
                await utils.wait_for_track_publication(
                    room=self._room,
                    identity=self._destination_identity,
                    kind=self._wait_remote_track,
                )
            logger.debug("remote participant ready\"""",
            """\
                while True:
                    try:
                        await utils.wait_for_track_publication(
                            room=self._room,
                            identity=self._destination_identity,
                            kind=self._wait_remote_track,
                        )
                        break
                    except RuntimeError:
                        if not self._room.isconnected():
                            raise
                        # it left before the track was there, and may come back
                        await utils.wait_for_participant(
                            room=self._room, identity=self._destination_identity
                        )
            logger.debug("remote participant ready\"""",
        ),
    )
)
