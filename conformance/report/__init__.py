"""Renderers of a run, one module for each output."""

from __future__ import annotations
