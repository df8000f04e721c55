from __future__ import annotations

import re

import pytest

from conformance.plugin.discovery import bundled_names
from conformance.requirements import load_catalogue
from tests.constraints.__main__ import HOSTS, ROOT, plugin_version

PAGE = (ROOT / "docs" / "host-matrix.md").read_text("utf-8")
COMMAND = "run tox run -e py311-host160,py311-host161,py311-host171,py311-host180,certify,matrix"


HOSTS_OWN = "inference"
"""The avatar of the host's own, which the older hosts do not have."""
NAMES = sorted({name.replace("_", "-") for name in bundled_names()} - {HOSTS_OWN})


def _table() -> dict[str, list[str]]:
    """The first table of the page: for each subject its cells."""
    lines = [line for line in PAGE.partition("\n## ")[0].splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    assert {len(row) for row in rows} == {len(HOSTS) + 1}
    named = [(row[0].partition("<br>")[0].strip("*"), row[1:]) for row in rows]
    return {name: cells for name, cells in named if name != "---"}


def _swaps(cell: str) -> int:
    """How many of the SWAP requirements held."""
    found = re.search(r"SWAP (\d+) of (\d+)", cell)
    return int(found[1]) if found else len(_swap_requirements())


def _swap_requirements() -> list[str]:
    return [id for id in load_catalogue() if id.startswith("SWAP-")]


def test_the_page_has_every_host_and_every_provider() -> None:
    """Hosts are the columns, and every bundled provider was run on each of them, in full."""
    head, host, endpoint, *providers = _table().items()
    assert head == ("livekit-agents", list(HOSTS)), COMMAND
    assert (host[0], endpoint[0]) == ("livekit-agents itself", "the kit's own endpoint")
    of_plugins = [(name, cells) for name, cells in providers if name != HOSTS_OWN]
    assert sorted(name for name, _ in of_plugins) == sorted(NAMES)
    for name, cells in of_plugins:
        plugin = f"livekit-plugins-{name.partition('-')[0]}"
        for cell, host in zip(cells, HOSTS, strict=True):
            version = re.escape(plugin_version(host, plugin))
            assert re.match(
                rf"\*\*(not certified|no tier|swap-safe|fault-safe|robust)\*\* {version}<br>", cell
            )


def test_the_page_is_about_the_revision_of_today() -> None:
    """A page of an earlier requirement set is made anew."""
    assert f"Requirements {load_catalogue().revision}, " in PAGE, COMMAND


def test_the_host_of_1_6_0_has_no_swap_call_and_that_of_1_6_1_has() -> None:
    """The page says so of the host itself."""
    without, mended, *_ = _table()["livekit-agents itself"]
    assert "1.6.0 has no swap call" in without
    assert "no swap call" not in mended


@pytest.mark.parametrize("name", NAMES)
def test_swapping_came_with_1_6_1(name: str) -> None:
    """Hardly a SWAP requirement holds on 1.6.0; more do from 1.6.1 on."""
    without, *later = map(_swaps, _table()[name])
    assert without < min(later)
    assert without <= len(_swap_requirements()) // 4
