"""Whichever client a plugin speaks to its vendor with, a plugin that is robust is judged so."""

from __future__ import annotations

import pytest

from .judged import judge
from .table import CLIENTS, Client

pytestmark = pytest.mark.filterwarnings("ignore")  # of clients whose plugin was cancelled


@pytest.mark.parametrize("client", CLIENTS, ids=str)
def test_a_robust_plugin_is_robust_by_any_client(client: Client) -> None:
    """Every check passes or does not apply."""
    assert judge(client.adapter()).bad == {}
