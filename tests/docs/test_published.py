"""docs/published-plugins.md follows from a run, and has every failure that the adapters know."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import vendor_adapters
from conformance.plugin import Deviation
from conformance.results.outcomes import CheckId, Outcome
from tests.docs.published import COMMAND, MATRIX, PAGE, _escaped, earlier, render
from tests.results.sample_run import CHECKS, acme, result, run, subject

REASON = "livekit-plugins-acme 1.0: it goes on (acme/avatar.py:7); to mend it, stop"


def known() -> Iterator[tuple[str, Deviation]]:
    """Every deviation of the bundled adapters that shows on the loopback stage, by vendor."""
    for module in pkgutil.iter_modules(vendor_adapters.__path__):
        if module.name.startswith("_"):
            continue
        adapter = importlib.import_module(f"vendor_adapters.{module.name}")
        for deviation in adapter.known_deviations() if hasattr(adapter, "known_deviations") else ():
            if deviation.stage != "live":
                yield module.name, deviation


@pytest.mark.needs("livekit-agents==1.8.9")
def test_the_page_has_every_known_failure() -> None:
    """`python -m tests.docs.published` mends a failure of this."""
    page = PAGE.read_text("utf-8")
    missing = [
        f"{vendor} {deviation.requirement}"
        for vendor, deviation in known()
        if _escaped(deviation.reason.partition(": ")[2]) not in page
    ]
    assert not missing, f"{COMMAND} makes docs/{PAGE.name} anew: it lacks {missing}"


def test_it_says_what_stands_before_the_next_tier() -> None:
    """With the reason of the deviation, which has place and mend, and the checks that fail."""
    failing = result("SWAP-01[a]", Outcome.EXPECTED_FAILURE, reason=REASON)
    others = [result(name) for name in CHECKS if name != "SWAP-01[a]"]
    page = render(run(subject([failing, *others])), {})
    assert "| [acme](#acme) | livekit-plugins-acme 1.0 | no tier | swap-safe: [SWAP-01]" in page
    assert "**Between it and swap-safe:**" in page
    assert "| [SWAP-01](requirements.md#swap-01) | 1 | it goes on (acme/avatar.py:7)" in page


def test_a_failure_that_nobody_knew_is_told_as_it_was_seen() -> None:
    """A check that fails without a deviation is on the page too."""
    page = render(acme({"BIND-01": Outcome.FAILED}), {})
    assert "| [BIND-01](requirements.md#bind-01) | 1 | no tail |" in page


def test_what_another_check_blocks_names_it() -> None:
    """What cannot be judged stands before a tier as well."""
    by = CheckId("acme", "SWAP-01", "a")
    blocked = result("BIND-01", Outcome.BLOCKED, blocked_by=by)
    page = render(run(subject([blocked, *map(result, CHECKS[1:])])), {})
    assert "cannot be judged while acme::SWAP-01\\[a\\] fails" in page


def test_a_robust_plugin_lacks_nothing() -> None:
    """Nothing stands before a tier where there is none above."""
    page = render(acme(), {})
    assert "| [acme](#acme) | livekit-plugins-acme 1.0 | robust |  | 0 |" in page
    assert "Between it" not in page


def test_the_tiers_of_earlier_hosts_are_those_of_the_matrix() -> None:
    """Each provider of the matrix has its tier and its version on each host."""
    before = earlier(MATRIX.read_text("utf-8"))
    assert before["anam"]["1.6.0"] == ("not certified", "1.6.0")
    assert len(before) >= 14
    page = render(acme(), {"acme": {"1.7.1": ("fault-safe", "0.9")}})
    assert "| livekit-agents | 1.7.1 | 1.8.9 |" in page
    assert "| [acme](#acme) | fault-safe (0.9) | robust (1.0) |" in page
