"""Whichever client a plugin speaks to its vendor with, a plugin that is robust is judged so."""

from __future__ import annotations

from collections import Counter

import pytest

from conformance.results.outcomes import Outcome

from .judged import judge
from .table import CLIENTS, IN_THREADS, OUT_OF_REACH, Client

pytestmark = pytest.mark.filterwarnings("ignore")  # of clients whose plugin was cancelled


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_a_robust_plugin_is_robust_by_any_client(client: Client) -> None:
    """Every check passes or does not apply.

    A thread that blocks runs at the machine's own speed: what fails is played again, and has failed
    if it does so twice.
    """
    bad = judge(client.adapter()).bad
    if bad and client.transport == IN_THREADS:
        again = judge(client.adapter()).bad
        bad = {name: why for name, why in again.items() if name in bad}
    assert bad == {}


def test_a_client_that_nothing_reaches_is_one_error() -> None:
    """It says so in one line, with --live; nothing fails, and what needs a start is blocked."""
    results = judge(OUT_OF_REACH.adapter()).results
    outcomes = Counter(result.outcome for result in results)
    (error,) = (result for result in results if result.outcome is Outcome.ERROR)
    assert error.id.requirement == "BIND-01"
    assert "opens a gRPC channel to api.reference.test" in error.reason
    assert "--live with the vendor's own API" in error.reason
    assert "\n" not in error.reason
    assert outcomes[Outcome.FAILED] == 0
    assert outcomes[Outcome.BLOCKED] > 100
