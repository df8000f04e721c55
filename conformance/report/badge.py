"""A badge: the JSON that shields.io reads from an endpoint (https://shields.io/badges/endpoint-badge)."""

from __future__ import annotations

import json

from conformance.results.ledger import Tier, partial_because, tier
from conformance.results.run import Run

_COLOURS = {Tier.NONE: "red", Tier.SWAP_SAFE: "green", Tier.ROBUST: "brightgreen"}
_ORDER = (Tier.NONE, Tier.SWAP_SAFE, Tier.ROBUST)


def render(run: Run) -> str:
    """The badge of the run: the lowest tier among its providers."""
    tiers = [tier(run, subject) for subject in run.subjects if subject.kind == "provider"]
    lowest = min(tiers, key=_ORDER.index, default=Tier.NONE)
    message = "not certified" if lowest is Tier.NONE else lowest.value
    if partial_because(run):
        message = "partial run"
    elif not run.selection.whole:
        message = "partial selection"
    elif len(tiers) > 1:
        certified = sum(reached is not Tier.NONE for reached in tiers)
        message = f"{certified} of {len(tiers)} swap-safe"
    badge = {
        "schemaVersion": 1,
        "label": "avatar conformance",
        "message": f"{message} ({run.revision})",
        "color": _COLOURS[lowest],
        "isError": lowest is Tier.NONE,
    }
    return json.dumps(badge, indent=1) + "\n"
