"""The table of released mends is whole, and its environments are few."""

from __future__ import annotations

import fnmatch
import itertools

import pytest
from packaging.version import Version

from conformance.plugin.discovery import bundled_names
from conformance.suite import checks
from conformance.suite.registry import registered

from .environments import overlay_name
from .lanes import Lane, pack
from .pairs import DISTRIBUTIONS, HOST, PAIRS, PLUGINS, Pair


def known() -> set[str]:
    """The checks that the suite has, with their variants."""
    checks.load()
    return {
        f"{check.requirement}[{variant}]" if variant else check.requirement
        for check in registered()
        for variant in (check.variants or ("",))
    }


@pytest.mark.parametrize("pair", [p for p in PAIRS if not p.awaiting], ids=str)
def test_a_pair_names_a_check_of_the_suite(pair: Pair) -> None:
    """A pair that is not listed as awaited has a check that can show it."""
    assert pair.check in known()


@pytest.mark.parametrize("pair", [p for p in PAIRS if p.awaiting], ids=str)
def test_a_pair_awaits_a_check_only_while_there_is_none(pair: Pair) -> None:
    """A pair whose check has come is to be run: take its ``awaiting`` away."""
    pattern = pair.check.replace("[", "[[]")
    assert not fnmatch.filter(known(), pattern)


def test_every_plugin_has_a_pair() -> None:
    """The table has each of the bundled providers."""
    assert {name.replace("_", "-") for name in bundled_names()} <= {
        pair.subject for pair in PAIRS
    } | {HOST, "inference"}  # whose history is the host's
    assert {pair.distribution for pair in PAIRS} >= set(PLUGINS.values())


def test_a_pair_is_listed_once_and_goes_forward() -> None:
    """Nobody's mend is counted twice, and the mended version is the later one."""
    assert len({str(pair) for pair in PAIRS}) == len(PAIRS)
    assert all(Version(pair.broken) < Version(pair.mended) for pair in PAIRS)
    assert all(pair.why and pair.subject in DISTRIBUTIONS for pair in PAIRS)


def pair(subject: str, broken: str, mended: str, check: str = "FAULT-05[500]") -> Pair:
    """A pair of no interest but for these."""
    return Pair(subject, broken, mended, check, "it broke")


def test_plugins_share_environments_and_steps_of_one_plugin_do_not() -> None:
    """Two plugins go into one lane, a second step of the first into another."""
    first, other, second = (
        pair("bey", "1.1.0", "1.1.1"),
        pair("tavus", "1.2.0", "1.2.1"),
        pair("bey", "1.3.0", "1.3.1"),
    )

    assert pack([first, other, second]) == (Lane((first, other)), Lane((second,)))


def test_the_host_has_environments_of_its_own() -> None:
    """A step of the host is judged with the newest plugins."""
    lanes = pack([pair("bey", "1.1.0", "1.1.1"), pair(HOST, "1.8.0", "1.8.1", "HOST-12")])

    assert [lane.pins("broken") for lane in lanes] == [
        ("livekit-plugins-bey==1.1.0",),
        ("livekit-agents==1.8.0",),
    ]


def test_only_what_must_flip_is_asked_for() -> None:
    """A run selects the providers and the requirements of its pairs."""
    lane = Lane((pair("tavus", "1.1.0", "1.1.1"), pair("bey", "1.1.0", "1.1.1", "PLAY-09")))

    assert lane.selection == (
        *("--provider=bey", "--provider=tavus"),
        *("--requirement=FAULT-05", "--requirement=PLAY-09"),
    )


def test_no_lane_holds_a_distribution_in_two_versions() -> None:
    """Whatever the table has, each environment can be installed."""
    for lane in pack(PAIRS):
        for one, another in itertools.combinations(lane.pairs, 2):
            assert one.distribution != another.distribution or (one.broken, one.mended) == (
                another.broken,
                another.mended,
            )


def test_a_folder_is_named_by_the_versions_in_it() -> None:
    """The same versions are installed once, in whatever order they are named."""
    assert overlay_name(["a==1", "b==2"]) == overlay_name(["b==2", "a==1"])
    assert overlay_name(["a==1"]) != overlay_name(["a==2"])
