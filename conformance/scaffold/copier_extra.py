"""copier, which renders the plugin template, and which comes with the extra ``new`` alone."""

from __future__ import annotations

from types import ModuleType

from conformance.errors import UsageError


def copier_module() -> ModuleType:
    """The module; `UsageError` names the extra where it is not installed."""
    try:
        import copier
    except ImportError:
        raise UsageError(
            "the plugin template needs copier: pip install 'avatar-conformance[new]'"
        ) from None
    return copier
