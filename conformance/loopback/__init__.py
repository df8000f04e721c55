"""The stage that needs no server: room, network, vendor's API and clock, all inside the process."""

from __future__ import annotations
