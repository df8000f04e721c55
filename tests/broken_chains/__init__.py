"""Chains of audio outputs that are wrong in one way each, with the check that finds it out."""

from __future__ import annotations

from . import kits, points
from .declared import BROKEN

__all__ = ["BROKEN", "kits", "points"]
