"""Ids that are the same in every run."""

from __future__ import annotations

import itertools


class Ids:
    """Counts up the ids of one server, each kind for itself."""

    def __init__(self) -> None:
        self._numbers = {prefix: itertools.count(1) for prefix in ("RM", "PA", "TR", "ST", "RQ")}

    def room(self) -> str:
        """A new room SID."""
        return self._next("RM")

    def participant(self) -> str:
        """A new participant SID."""
        return self._next("PA")

    def track(self) -> str:
        """A new track SID."""
        return self._next("TR")

    def stream(self, wanted: str | None = None) -> str:
        """``wanted``, or a new stream id."""
        return wanted or self._next("ST")

    def request(self) -> str:
        """A new id for an RPC request."""
        return self._next("RQ")

    def _next(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers[prefix]):08}"
