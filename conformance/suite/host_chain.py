"""The HOST family: the chain of audio outputs itself, on the host and on the project's endpoint."""

from __future__ import annotations

from . import host_chain_play, host_chain_shape
from .host_chain_scene import ChainKit, ChainScene, EndpointKit, HostKit, chain_kits

__all__ = [
    "ChainKit",
    "ChainScene",
    "EndpointKit",
    "HostKit",
    "chain_kits",
    "host_chain_play",
    "host_chain_shape",
]
