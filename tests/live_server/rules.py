"""The checks that are not played in real time, with the rule of each."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.suite.checks import load
from conformance.suite.registry import registered


def rules() -> Mapping[str, str]:
    """Every check that has such a rule, variant included, with the rule."""
    load()
    found = {}
    for check in registered():
        for variant in check.variants or (None,):
            rule = check.needs_virtual_time(variant)
            if rule is not None:
                name = f"{check.requirement}[{variant}]" if variant else check.requirement
                found[name] = rule
    return found
