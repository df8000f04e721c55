"""Log records of the moment, as they reach the root logger."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Handing(logging.Handler):
    """Hands each record to ``take``."""

    def __init__(self, level: int, take: Callable[[logging.LogRecord], None]) -> None:
        super().__init__(level)
        self._take = take

    def emit(self, record: logging.LogRecord) -> None:
        self._take(record)


@contextmanager
def records_handed_to(take: Callable[[logging.LogRecord], None], level: int) -> Iterator[None]:
    """Hand every record of ``level`` or above to ``take``, for a while."""
    handler = _Handing(level, take)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
