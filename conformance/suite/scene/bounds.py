"""The bounds of a manifest, in the words of a failure by one."""

from __future__ import annotations

from typing import Literal

from conformance.plugin.manifest import Bounds, Manifest

BoundName = Literal["start", "close", "playout"]


def bound_hint(manifest: Manifest, name: BoundName) -> str:
    """Which bound it was, where it was declared, and what else there is to do about it."""
    seconds: float = getattr(manifest.bounds, name)
    own = seconds != getattr(Bounds(), name)
    declared = "as the manifest declares" if own else "the default"
    return (
        f"the bound is bounds.{name}, {seconds:g} s ({declared}); where the vendor documents a "
        f'longer one, the manifest can say so: "bounds": {{"{name}": SECONDS}}'
    )
