"""Broken providers: small changes to the sound one, each with the check that must find it out."""

from __future__ import annotations
