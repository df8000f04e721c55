from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from conformance.plugin import Deviation
from conformance.results.outcomes import CheckId


def deviation(**changed: Any) -> Deviation:
    """A deviation of SWAP-02."""
    values: dict[str, Any] = {
        "requirement": "SWAP-02",
        "reason": "frames in the plugin's queue are dropped on close",
        "reference": "avatar.py, aclose()",
        "owner": "Acme",
        "expires": date(2026, 12, 31),
        **changed,
    }
    return Deviation(**values)


SWAP_02 = CheckId("acme", "SWAP-02", "close-then-start")


def test_it_is_about_its_requirement_only() -> None:
    """A deviation excuses no other requirement."""
    assert deviation().matches(SWAP_02, "1.8.9", "1.8.9")
    assert not deviation().matches(CheckId("acme", "SWAP-03"), "1.8.9", "1.8.9")


def test_variants_narrow_it() -> None:
    """With variants it excuses those, and a check without variants not at all."""
    narrowed = deviation(variants=("start-then-close",))

    assert not narrowed.matches(SWAP_02, "1.8.9", "1.8.9")
    assert narrowed.matches(CheckId("acme", "SWAP-02", "start-then-close"), "1.8.9", "1.8.9")
    assert not narrowed.matches(CheckId("acme", "SWAP-02"), "1.8.9", "1.8.9")


@pytest.mark.parametrize(
    ("specifier", "version", "within"),
    [
        ("", None, True),
        ("", "1.8.9", True),
        ("<=1.8.9", "1.8.9", True),
        ("<=1.8.9", "1.8.10", False),
        (">=1.8", "1.9.0rc1", True),
        (">=1.8,<1.9", "1.9.0rc1", False),
        ("<=1.8.9", None, False),
        ("<=1.8.9", "unknown", False),
    ],
)
def test_versions_narrow_it(specifier: str, version: str | None, within: bool) -> None:
    """A specifier is asked of the plugin's and of the host's version, each for itself."""
    assert deviation(plugin=specifier).matches(SWAP_02, version, "1.8.9") is within
    assert deviation(host=specifier).matches(SWAP_02, "1.8.9", version) is within


def test_it_expires_after_its_last_day() -> None:
    """The day that it names is still accepted."""
    assert not deviation().expired(date(2026, 12, 31))
    assert deviation().expired(date(2027, 1, 1))


def test_it_survives_json() -> None:
    """What is written to a report can be read back."""
    narrowed = deviation(variants=("close-then-start",), host=">=1.8")

    assert Deviation.from_json(narrowed.to_json()) == narrowed


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"reference": " "}, "its reference is empty"),
        ({"variants": ("*",)}, "a bare '*' excuses whatever comes"),
        ({"expires": date(9999, 12, 31)}, "more than 12 months ahead"),
    ],
)
def test_a_deviation_has_bounds(changes: dict[str, Any], wrong: str) -> None:
    """It ends within a year, names what fails, and says where it is tracked."""
    today = date(2026, 11, 27)
    fine = Deviation("SWAP-02", "it loses the last frames", "avatar.py:12", "acme", today)
    assert fine.problem(today) is None
    problem = replace(fine, **changes).problem(today)
    assert problem is not None
    assert wrong in problem[0]
