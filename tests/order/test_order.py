"""No verdict depends on the order of the checks, nor on a thread that goes on between them.

``python -m tests.order`` shows it for all providers and twenty seeds.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.plugin.discovery import discover, select

from .shuffled import a_plugins_thread, differences, outcomes

CHECKS = "UNBIND-0,SEC-02,BIND-09,FAULT-03"
"""Those that look at what is left, at what is contacted, and at credentials."""


@pytest.mark.parametrize("seed", [1, 2])
def test_a_shuffled_order_has_the_same_outcomes(seed: int) -> None:
    """For a published plugin, in the suite's order, and in another one beside a thread."""
    pytest.importorskip("livekit.plugins.trugen")
    providers = select(discover(rootdir=Path("/")), ["trugen"])
    expected = outcomes(providers, None, CHECKS)
    with a_plugins_thread():
        assert differences(expected, outcomes(providers, seed, CHECKS)) == {}
