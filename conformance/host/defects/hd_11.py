"""HD-11: an open segment is flushed to the sink that is replaced, before it is cleared there."""

from __future__ import annotations

from .mend import Mend, edits
from .sink_clock import IO

MEND = Mend(
    edits(
        IO,
        (
            """\
                # stop audio still playing on the old sink
                old.clear_buffer()
""",
            """\
                # a sink ends a segment when it is flushed, and this is the last it hears of it
                if self._capturing:
                    old.flush()
                # stop audio still playing on the old sink
                old.clear_buffer()
""",
        ),
    )
)
