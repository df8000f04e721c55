"""Writes docs/server-behaviour.md to standard output."""

from __future__ import annotations

import sys

from .document import document

sys.stdout.write(document())
