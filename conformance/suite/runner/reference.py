"""The reference provider as the suite uses it."""

from __future__ import annotations

from functools import cache

from conformance.plugin.provider import Provider


@cache
def reference_provider() -> Provider:
    """The provider of :mod:`conformance.reference`."""
    from conformance.reference import adapter

    return Provider(adapter, label="reference", origin="the kit's own", source="bundled")
