"""The live stage: the suite on a real LiveKit server, in real time.

The loopback room stands in for a server. This package runs the same checks on a real one, so that
the two can be compared: :mod:`.launcher` starts a server for the length of a run, :mod:`.stage`
opens stages on it. docs/server-behaviour.md tells what the server was measured to do.
"""

from __future__ import annotations
