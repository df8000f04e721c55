"""The reference adapters: one module for each published avatar plugin of livekit-agents.

They come with the kit and drive the real plugins, so that every vendor has a place to start from.
"""

from __future__ import annotations
