"""What a room's server does, question by question, asked of any stage.

Each :class:`Probe` asks one question and knows the answer that the real server gave when it was
measured. The same probe runs on the live stage, where a different answer means that the server or
the SDK has changed, and on the loopback stage, where it means that the stand-in is wrong.
docs/server-behaviour.md is made from them: ``python -m tests.live_server.behaviour``.
"""

from __future__ import annotations

from .document import document
from .probe import Probe, Surroundings, all_probes

__all__ = ["Probe", "Surroundings", "all_probes", "document"]
