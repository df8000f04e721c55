"""The reference provider: a small avatar plugin that does everything right.

The kit judges the host with it (what it fails too is the host's defect, not a vendor's), measures
with it what an avatar leaves behind by no fault of its own, and makes its broken providers from it.
"""

from __future__ import annotations
