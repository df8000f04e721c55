"""The bundled adapters: one module for each provider."""

from __future__ import annotations
