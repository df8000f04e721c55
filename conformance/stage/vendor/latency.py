"""How long a vendor's API takes to answer.

An API that answers at once makes `start()` and `aclose()` instants. In production they are not:
the agent goes on speaking meanwhile, and what a plugin does between its request and the answer
shows. So every request waits here, those of a faulty vendor included.
"""

from __future__ import annotations

API_LATENCY = 0.3
"""Seconds between a request and its answer.

It is one round trip within a continent (50 ms) for each of TCP and TLS and the request itself, and
half of what a vendor's gateway needs for a session that it creates. It is on the low side: an
entry point whose longest part is the start of a Tavus avatar was measured at 4.3 s
(https://github.com/livekit-examples/agent-starter-react/issues/253). No verdict depends on the
value, so long as it is longer than a few audio frames and shorter than a client's timeout.
"""

__all__ = ["API_LATENCY"]
