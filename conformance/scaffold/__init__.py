"""A new plugin from the template, and a first adapter for a plugin that exists already."""

from __future__ import annotations
