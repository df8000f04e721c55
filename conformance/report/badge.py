"""A badge: the JSON that shields.io reads from an endpoint (https://shields.io/badges/endpoint-badge)."""

from __future__ import annotations

import json

from conformance.results.ledger import partial_because
from conformance.results.run import Run, providers
from conformance.results.tiers import Tier, lowest_tier, tier_of

_COLOURS = {
    Tier.NONE: "red",
    Tier.SWAP_SAFE: "green",
    Tier.FAULT_SAFE: "green",
    Tier.ROBUST: "brightgreen",
    Tier.DEPLOYED: "brightgreen",
}


def render(run: Run) -> str:
    """The badge of the run: the lowest tier among its providers; red without one."""
    tiers = [tier_of(run, subject) for subject in providers(run)]
    lowest = lowest_tier(run)
    message = "no tier" if lowest is Tier.NONE else lowest.value
    if partial_because(run):
        message = "partial run"
    elif not run.selection.whole:
        message = "partial selection"
    elif len(tiers) > 1:
        reached = sum(tier is not Tier.NONE for tier in tiers)
        message = f"{reached} of {len(tiers)} with a tier"
    badge = {
        "schemaVersion": 1,
        "label": "avatar conformance",
        "message": f"{message} ({run.revision})",
        "color": _COLOURS[lowest],
        "isError": lowest is Tier.NONE,
    }
    return json.dumps(badge, indent=1) + "\n"
